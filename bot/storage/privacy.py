"""Takes out of what people write whatever could name them, before anything is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

HOTLINES = re.compile(r"^(?:1[12]\d|12\d{3}|95\d{3,4})$")
LONGEST_HOTLINE = 6
"""Anything of more digits than this is somebody's number."""

# No condition on letters around it: people write vx13912345678. What follows tells an amount of money.
NUMBERS = re.compile(r"(?<!\d)\d(?:[\d \-.·—–]{5,}[\dXx]|\d{5,}[Xx]?)(?!\d|\s*[元块万])")
DATE = re.compile(r"(?:19|20)\d\d[-. ]\d{1,2}[-. ]\d{1,2}")
SPELLED = re.compile(r"[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{7,}")
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ACCOUNT = re.compile(r"((?:微信号?|vx|wx|wechat|qq|支付宝)(?:号|账号|是)?[:：\s]*)[A-Za-z][A-Za-z0-9_-]{5,19}", re.IGNORECASE)
PLATES = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Za-hj-np-z][·\- ]?"
    r"[A-HJ-NP-Za-hj-np-z0-9]{5,6}"
)

SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻苏潘葛范彭郎鲁韦昌马苗凤方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于傅皮卞齐康伍余元顾孟黄穆萧肖尹姚邵汪祁毛狄米贝戴宋茅庞熊纪舒屈项"
    "祝董梁杜阮蓝闵席麻强贾路江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫丁邓洪包左石崔吉龚程邢裴陆翁荀"
    "甄曲封段侯宓全班仰秋仲伊宫宁仇甘厉武符刘景詹束龙叶幸司韶黎蓟薄印白怀蒲卓蔺屠蒙池乔闻党翟谭劳申冉桑桂牛边燕"
    "尚温庄晏柴瞿阎慕连习容向古易廖终步都耿满匡国文寇广东利师巩聂敖冷辛简饶曾关查游覃区冼岳佘欧麦练植岑禤"
)
COMPOUND = "欧阳|司徒|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司马|夏侯|端木|百里|南宫"
NAME = rf"(?:(?:{COMPOUND})[一-龥]{{1,2}}?|[{SURNAMES}][一-龥]{{1,2}}?)"
AFTER_NAME = r"(?=$|[^一-龥]|的?(?:身份证|电话|手机)|今年|是|在|住|从|做|跑|送|开|男|女|来|想|要|被|因|平台|公司|工资|押金|我)"
NAMES = re.compile(
    rf"((?:我|本人|名字?|老板|站长|队长|经理|同事|他|她)(?:名字)?叫(?:做|作)?|(?:我的|本人)?(?:名字|姓名)[是叫:：]?|"
    rf"联系人[是:：]?)(\s*)({NAME}){AFTER_NAME}"
)
I_AM = re.compile(rf"((?:我|本人)(?:就?是)?[:：]?)(\s*)({NAME})(?=[，,。.、\s]|$|的?(?:身份证|电话|手机))")
SURNAME = re.compile(rf"(我姓|本人姓|免贵姓)({COMPOUND}|[{SURNAMES}])")
NO_NAMES = re.compile(
    r"(?:马上|高空|何时|何人|任何|任意|路上|安全|全部|全职|华人|包车|师傅|司机|利息|文员|都[是有会没]|曾[经被])"
)
"""What begins like a surname and is none, after 我是 or 老板叫."""

ROAD = r"(?:路|街|巷|大道|村|小区|花园|新村|苑|城|广场|镇)"
DOOR = r"(?:号|栋|座|幢|单元|室|房|楼|组|队|层)"
NUMBER = r"[\d一二三四五六七八九十百零]{1,6}"
ADDRESSES = re.compile(
    rf"[一-龥]{{2,12}}?{ROAD}[一-龥\d]{{0,8}}?{NUMBER}{DOOR}(?:[一-龥A-Za-z]{{0,4}}?{NUMBER}{DOOR}?|之{NUMBER})*"
)
LIVING = re.compile(
    r"((?:家庭|收货|现)?[住地]址[是在:：]*\s*|(?:我家?|家里?|租)?住在?(?!院|房|宿|过))"
    rf"([一-龥A-Za-z0-9\-]{{2,30}}?(?:{ROAD}|{DOOR})[一-龥A-Za-z0-9\-]{{0,24}})"
)


def pseudonym(secret: bytes, channel: str, user: str) -> str:
    """Return the only form in which a person is stored: 32 hex digits of an HMAC-SHA256."""
    return hmac.new(secret, f"{channel}\0{user}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def mask(text: str) -> str:
    """Return a text with numbers, plates, accounts, addresses and names that people tell of themselves masked.

    Hotlines, dates and sums of money pass. Lone surrogates and NUL, which no database takes, are replaced.
    """
    clean = text.encode("utf-8", "replace").decode().replace("\0", "")
    for pattern, replacement in MASKS:
        clean = pattern.sub(replacement, clean)
    return clean


def _number(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    if HOTLINES.match(digits) or len(digits) <= LONGEST_HOTLINE or DATE.fullmatch(match[0].strip()):
        return match[0]
    return "〔号码〕"


def _name(match: re.Match[str]) -> str:
    is_trade = match[3][-1] in "人员工手"
    return match[0] if is_trade or NO_NAMES.match(match[3]) else f"{match[1]}{match[2]}〔姓名〕"


MASKS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (MAIL, "〔邮箱〕"),
    (PLATES, "〔车牌〕"),
    (ACCOUNT, r"\1〔账号〕"),
    # Addresses before numbers: what is left of one without its numbers is not known for one any more.
    (LIVING, r"\1〔地址〕"),
    (ADDRESSES, "〔地址〕"),
    (NUMBERS, _number),
    (SPELLED, "〔号码〕"),
    (NAMES, _name),
    (I_AM, _name),
    (SURNAME, r"\1〔姓名〕"),
)
