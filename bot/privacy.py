"""Takes out of what people write whatever could name them, before anything is stored."""

from __future__ import annotations

import hashlib
import hmac
import re

HOTLINES = re.compile(r"^(?:1[12]\d|12\d{3}|95\d{3,4})$")
NUMBERS = re.compile(r"(?<![A-Za-z0-9])\d(?:[\d \-]{5,}[\dXx]|\d{5,}[Xx]?)(?![A-Za-z0-9])")
PLATES = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Za-hj-np-z][·\- ]?[A-HJ-NP-Za-hj-np-z0-9]{5,6}"
)
NAMES = re.compile(r"(我叫|我的名字叫|我的名字是|本人姓名|姓名[:：]?|我是)\s*([一-龥]{2,3})(?=[，,。.、\s]|$|的?(?:身份证|电话|手机))")
ADDRESSES = re.compile(r"[一-龥]{2,10}(?:路|街|巷|大道|村|小区|花园|新村)[一-龥\d]{0,6}?\d+(?:号|栋|座|单元|室|房|楼)[\d一-龥]{0,8}?(?:室|房|楼|号)?")
WORKERS = frozenset({"骑手", "司机", "快递员", "外卖员", "站长", "网约车", "罗定人", "新兴人", "郁南人", "本地人", "外地人", "农村人"})

LONGEST_HOTLINE = 6
"""Anything of more digits than this is somebody's number."""


def pseudonym(secret: bytes, channel: str, user: str) -> str:
    """Return the only form in which a person is stored: 32 hex digits of an HMAC-SHA256."""
    return hmac.new(secret, f"{channel}\0{user}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def mask(text: str) -> str:
    """Return a text with phone, ID-card, bank-card and plate numbers, names after 我叫 and addresses masked.

    Hotlines pass. Lone surrogates and NUL, which no database takes, are replaced.
    """
    clean = text.encode("utf-8", "replace").decode().replace("\0", "")
    masked = NUMBERS.sub(_number, clean)
    masked = PLATES.sub("〔车牌〕", masked)
    masked = NAMES.sub(lambda match: match[0] if match[2] in WORKERS else f"{match[1]}〔姓名〕", masked)
    return ADDRESSES.sub("〔地址〕", masked)


def _number(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    if HOTLINES.match(digits) or len(digits) <= LONGEST_HOTLINE:
        return match[0]
    return "〔号码〕"
