"""Lays a reply's plain text out for a page: paragraphs, lists, labelled lines, telephone links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from markupsafe import Markup, escape

LABELS = ("要带", "留好证据", "政策变化", "去哪办", "当地", "责任科室", "依据", "核对日期")
LABELLED = re.compile(rf"^({'|'.join(LABELS)})：(.+)$")
NUMBERED = re.compile(r"^\d{1,2}\. (.+)$")

NOT_A_NUMBER_AFTER = r"(?![\d.]*\d|\s?[元块天日月年次个人名岁万亿倍号条%％小分秒米公斤里时周-]|[至到~～—])"
"""What shows that 120 is an amount or a period (120元, 120天, 120-150), not a telephone number."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a reply: one text for a paragraph, one or more for a list, label and text for labelled lines."""

    kind: Literal["paragraph", "steps", "facts"]
    items: tuple[tuple[str, str], ...]


def blocks(body: str) -> list[Block]:
    """Return the blocks of a reply's body in order; items are (label, text), the label empty but for facts."""
    lines = [_line(line.strip()) for line in body.splitlines() if line.strip()]
    found: list[Block] = []
    for kind, group in groupby(lines, key=lambda line: line[0]):
        items = tuple((label, text) for _, label, text in group)
        found += [Block(kind, (item,)) for item in items] if kind == "paragraph" else [Block(kind, items)]
    return found


def _line(line: str) -> tuple[Literal["paragraph", "steps", "facts"], str, str]:
    if match := LABELLED.match(line):
        return "facts", match[1], match[2]
    if match := NUMBERED.match(line):
        return "steps", "", match[1]
    return "paragraph", "", line


def hotlines_in(text: str, hotlines: Iterable[str]) -> list[str]:
    """Return the hotlines that a text tells people to ring, each once, in order."""
    return list(dict.fromkeys(match[0] for match in _pattern(hotlines).finditer(text)))


def with_calls(text: str, hotlines: Iterable[str]) -> Markup:
    """Return a text as HTML, escaped, with its hotlines as ``tel:`` links."""
    # Digits pass through escaping unchanged, except in &#39; and &#34;, which no hotline equals.
    return Markup(_pattern(hotlines).sub(r'<a href="tel:\g<0>">\g<0></a>', str(escape(text))))  # noqa: S704


def _pattern(hotlines: Iterable[str]) -> re.Pattern[str]:
    numbers = "|".join(sorted(map(re.escape, hotlines), key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"(?<![\d.A-Za-z&#第-])(?:{numbers})(?![A-Za-z]){NOT_A_NUMBER_AFTER}")
