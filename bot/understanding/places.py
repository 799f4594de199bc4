"""Finds the place that a person names: a county of Yunfu, a town, or somewhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.catalogue import Outside, Place

ORDINARY = frozenset(
    {
        "平台",
        "太平",
        "天堂",
        "河口",
        "大江",
        "大方",
        "大湾",
        "新城",
        "新兴",
        "高峰",
        "白石",
        "前锋",
        "石城",
        "建城",
        "通门",
        "宝珠",
        "分界",
        "龙湾",
        "连州",
        "金鸡",
        "河头",
        "西宁",
        "龙乡",
        "东成",
        "镇安",
        "高村",
    }
)
"""Names that are ordinary words or other places too: alone they never set a place."""

BEFORE = "在|喺|系|去|到|住|回"
AFTER = "镇|街道|街|这边|那边|呢边|嗰边|人|区|县|市"
BARE = re.compile(r"[那在我是的呢吧啊嘛边这里住人要去喺系，,。？? ]|怎么办|那边|这边|镇|街道")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a text says it is: county bureaus' ids (several when a town's name is in several counties) or an outside name."""

    offices: tuple[str, ...] = ()
    outside: Outside | None = None
    alone: bool = False


def find_place(text: str, places: Iterable[Place], outside: Iterable[Outside]) -> Found:
    """Return the place that a simplified text names; ``alone`` when it says little else (那罗定呢)."""
    hits = [(name, place.office) for place in places for name in place.names if name in text and _named(text, name, False)]
    hits += [(town, place.office) for place in places for town in place.towns if town in text and _named(text, town, True)]
    if hits:
        longest = max(len(name) for name, _ in hits)
        offices = tuple(dict.fromkeys(office for name, office in hits if len(name) == longest))
        counties = {office for name, office in hits if not any(name in place.towns for place in places)}
        if len(offices) > 1 and len(counties & set(offices)) == 1:
            offices = tuple(counties & set(offices))
        return Found(offices, None, _alone(text, [name for name, _ in hits]))
    for place in outside:
        if place.name in text and re.search(rf"(?:{BEFORE}){re.escape(place.name)}", text):
            return Found((), place, _alone(text, [place.name]))
    return Found()


def _named(text: str, name: str, town: bool) -> bool:
    """Return whether a text that has a name means the place."""
    if name not in ORDINARY and (not town or len(name) > 1):
        return True
    return (
        re.search(
            rf"{re.escape(name)}(?:镇|街道)|(?:{BEFORE}){re.escape(name)}(?:$|[，,。？?！! ]|镇|街道|这|那|跑|送|开|做|上班)",
            text,
        )
        is not None
    )


def _alone(text: str, names: Iterable[str]) -> bool:
    rest = text
    for name in sorted(names, key=len, reverse=True):
        rest = rest.replace(name, "")
    return len(BARE.sub("", rest)) <= 1
