"""Reads the short messages that lean on what was said before: picks, aspects, corrections, returns; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.model import Choice
from bot.text import compact

ORDINALS = {
    sign: number
    for number, signs in enumerate(("1一①壹", "2二两②贰", "3三③叁", "4四④", "5五⑤", "6六⑥"), 1)
    for sign in signs
}
PICK = re.compile(
    r"^(?:选|我选|要|我要|就|回复)?(?:第)?([1-9一二两三四五六①②③④⑤⑥壹贰叁])(?:个|条|项|号|那个|种)?(?:吧|啦|呗|的|那个)?$"
)
LAST = re.compile(r"^(?:最后|后面|尾)(?:一|那|嗰)?(?:个|条|项)?(?:吧)?$")
FIRST = re.compile(r"^(?:最前|前面|头)(?:一|那|嗰)?(?:个|条|项)?(?:吧)?$")
POINTER = re.compile(r"(?:那个|这个|那条|这条|嗰个|个|的|我要|我选|选|就|是|吧|呗|啊|，|,)")

CORRECTION = re.compile(
    r"^(?:不对|不是的?|错了|搞错了|说错了|打错了|讲错咗?|唔系|不是这个|我不是问这个)?[,，。 ]*"
    r"(?:我是说|我是问|我说的是|我问的是|我是想问|我系话|我系问|我想问的是|是说)[,，:： ]*"
)
WRONG = re.compile(
    r"^(?:不对|不是的?|错了|搞错了|说错了|打错了|讲错咗?|唔系|唔係|唔啱|不是这个|答错了|我不是问这个)[,，。！! ]*"
)
RETURN = re.compile(
    r"(?:好|行|那)?[,， ]*(?:回到|返回|说回|讲返|倒回|继续说|还是说|再说|再问)"
    r"(?:刚才|刚刚|之前|前面|上面|先头|头先)?(?:那个|那件|的|个|嗰个|那条)*"
    r"|(?:刚才|刚刚|之前|先头|头先)(?:那个|嗰个|那件事?|说的)"
)

PARTICLES = re.compile(
    r"大概|一般|具体|大约|如果|他们|[那要带办理去是的呢吗啊吧了有没什么怎可以能我你他们需都还得嘅咗和跟到这个,，。？?！! ]"
    r"|[哪里几多少交给用不一先问下请]"
)
"""What a follow-up may say without saying anything of its own."""

ASPECT_WORDS: dict[str, tuple[str, ...]] = {
    "材料": (
        "材料",
        "带什么",
        "带啥",
        "带咩",
        "带乜",
        "准备什么",
        "准备啥",
        "哪些证件",
        "什么证件",
        "手续",
        "表格",
        "要交什么",
        "提供什么",
        "身份证",
        "带身份",
        "什么证明",
        "准备些",
    ),
    "地点": (
        "去哪",
        "哪里办",
        "在哪",
        "哪里",
        "找谁",
        "哪个部门",
        "什么地方",
        "地址",
        "窗口",
        "找哪个",
        "去边",
        "边度",
        "哪个单位",
        "找边个",
        "几楼",
    ),
    "多久": (
        "多久",
        "几天",
        "多长时间",
        "什么时候",
        "几耐",
        "时间",
        "多少天",
        "要等",
        "几日",
        "期限",
        "时限",
        "快不快",
        "来得及",
        "几个月",
        "几时",
    ),
    "费用": (
        "要钱",
        "收钱",
        "收费",
        "要给钱",
        "要花多少",
        "交多少费",
        "收费",
        "费用",
        "免费",
        "多少费",
        "花钱",
        "交钱",
        "要不要钱",
        "手续费",
        "贵不贵",
    ),
    "金额": (
        "多少钱",
        "一年多少",
        "一个月多少",
        "每月多少",
        "交多少",
        "拿多少",
        "能拿多少",
        "几多钱",
        "给多少",
        "领多少",
        "赔多少",
        "补多少",
        "有多少",
        "怎么算",
        "标准",
    ),
    "网上": (
        "网上",
        "手机能",
        "用手机",
        "手机上",
        "手机",
        "线上",
        "小程序",
        "公众号",
        "app",
        "不用跑",
        "在家办",
        "视频",
        "电话里办",
    ),
    "电话": ("电话", "号码", "热线", "怎么联系", "联系方式", "打哪个"),
    "被拒": (
        "不理",
        "不给办",
        "不同意",
        "拒绝",
        "不认",
        "推来推去",
        "不给",
        "不肯",
        "不承认",
        "没人管",
        "不管",
        "他们不",
        "不办",
        "不还",
        "不受理",
        "踢皮球",
        "耍赖",
        "不听",
    ),
    "条件": ("条件", "什么人", "谁可以", "我能", "我可以", "资格", "要求", "够不够", "符合", "外地户口", "外地"),
    "是什么": ("是什么", "什么意思", "啥意思", "咩来", "什么来的"),
    "区别": ("区别", "不一样", "一样吗", "有什么不同", "哪个好"),
}


def picked(text: str, choices: Sequence[Choice]) -> Choice | None:
    """Return the open choice that a message picks, by number, by its own text, or by words from it; else None."""
    said = compact(text)
    for choice in choices:
        if said in (compact(choice.text), *map(compact, choice.words)):
            return choice
    number = pick_number(said, len(choices))
    if number is not None:
        return choices[number - 1] if number <= len(choices) else None
    words = POINTER.sub("", said)
    if not 2 <= len(words) <= 8:
        return None
    hits = [
        c for c in choices if words in compact(c.text) or any(w in words for w in map(compact, c.words) if len(w) > 1)
    ]
    return hits[0] if len(hits) == 1 else None


def pick_number(text: str, count: int) -> int | None:
    """Return the number (from 1) that a short message says, None when it says none; ``count`` resolves 最后一个."""
    if LAST.match(text):
        return count or None
    if FIRST.match(text):
        return 1
    match = PICK.match(text)
    if match is None:
        return None
    return int(match[1]) if match[1].isdigit() else ORDINALS[match[1]]


def aspect_of(text: str) -> str | None:
    """Return the aspect that a short follow-up asks about, None when it names none."""
    found = [
        (text.find(word), -len(word), aspect)
        for aspect, words in ASPECT_WORDS.items()
        for word in words
        if word in text
    ]
    return min(found, key=lambda hit: (hit[1], hit[0]))[2] if found else None


def stripped(text: str) -> str:
    """Return what a follow-up says beyond its aspect words, pointers and particles."""
    rest = text
    for word in sorted((w for words in ASPECT_WORDS.values() for w in words), key=len, reverse=True):
        rest = rest.replace(word, "")
    return PARTICLES.sub("", rest)
