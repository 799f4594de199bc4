"""Finds the figures in a text (amounts, periods, dates, document numbers, phones) so that each can be traced to a source."""

from __future__ import annotations

import re

DIGITS = dict(zip("零一二两三四五六七八九", (0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
CHINESE = re.compile(r"[一二两三四五六七八九十百]+(?=个?(?:工作日|自然日|天|日内|年|月|小时|倍|周岁|岁|元|分钟|％|%))")
DOCUMENT = re.compile(r"[一-龥]{1,12}〔\d{4}〕\d+号|GB/T ?[\d-]+")
PHONE = re.compile(r"(?<![\d.])(?:0\d{2,3}-?\d{7,8}|1[3-9]\d{9}|12\d{3}|1[12]\d|95\d{3})(?![\d.年元天日个小%％倍分岁条])")
UNIT = r"个?(?:工作日|自然日|天|日|年|月|小时|分钟|元|倍|周岁|岁|%|％|万|个月|公里|级|档)"
FIGURE = re.compile(rf"(?<![\d.])(\d+(?:\.\d+)?)({UNIT})")
RANGE = re.compile(rf"(\d+(?:\.\d+)?)(?:到|至|—|-|～|~|、)(?=\d+(?:\.\d+)?({UNIT}))")
ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
SAME = {
    "％": "%",
    "天": "日",
    "自然日": "日",
    "周岁": "岁",
    "个月": "月",
    "个工作日": "工作日",
    "个小时": "小时",
    "个自然日": "日",
}
HARMLESS = {"1岁", "1日", "1月1日"}

DEADLINE = re.compile(r"\d+(?:\.\d+)?个?(工作日|自然日|日|天|月|年)(（[^）]*）)?(?:以?内|之内|的?时效)|(?<=提前)\d+个?(日|天)")
EVENT = re.compile(r"从|自|起|之日|后|收到|前|次日|以来|当天|期间|满|提前")
DAY_KIND = re.compile(r"自然日|工作日")


def figures(text: str) -> set[str]:
    """Return every figure of a text in one form (``1个月`` and ``一个月`` are both ``1月``)."""
    plain = CHINESE.sub(lambda match: str(number(match[0])), text)
    plain = ISO_DATE.sub(_spoken_date, plain)
    plain = RANGE.sub(lambda match: f"{match[1]}{match[2]}、", plain)
    found = {f"{match[1]}{SAME.get(match[2], match[2].removeprefix('个'))}" for match in FIGURE.finditer(plain)}
    found |= {match[0].replace(" ", "") for match in DOCUMENT.finditer(text)}
    return (found | set(PHONE.findall(text))) - HARMLESS


def number(chinese: str) -> int:
    """Return a Chinese number below a thousand as an int."""
    total = digit = 0
    for sign in chinese:
        if sign in "十百":
            total += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
        else:
            digit = DIGITS[sign]
    return total + digit


def loose_deadlines(text: str) -> list[str]:
    """Return the time limits of a text that do not say from which event, or (for days) which days."""
    loose = []
    for sentence in re.split("[。；;！？\n]", text):
        for match in DEADLINE.finditer(sentence):
            days = (match[1] or match[3]) in ("日", "天")
            if not EVENT.search(sentence) or (days and not DAY_KIND.search(sentence)):
                loose.append(match[0])
    return loose


def _spoken_date(match: re.Match[str]) -> str:
    year, month, day = match[1], int(match[2]), match[3]
    return f"{year}年{month}月" + (f"{int(day)}日" if day else "")
