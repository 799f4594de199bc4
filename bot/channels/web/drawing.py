"""Draws a guided question as a tree of boxes in one SVG, and an address as a QR code: paths only."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import segno

from bot.catalogue import Entry, Guide, Option

WIDTH = 340
"""The drawing's width in its own units; a phone of 390 px shows them nearly one to one."""

INDENT = 22
FONT = 15
LEADING = 21
PADDING = 9
GAP = 10


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the drawing: ``role`` is ask, choice or end; ``depth`` counts from 0; ``parent`` indexes the boxes."""

    role: str
    lines: tuple[str, ...]
    depth: int
    parent: int | None
    top: int

    @property
    def left(self) -> int:
        """Its left edge."""
        return 1 + self.depth * INDENT

    @property
    def height(self) -> int:
        """Its height, by its lines."""
        return len(self.lines) * LEADING + 2 * PADDING - 4

    @property
    def outline(self) -> str:
        """The path of its outline, round at the corners."""
        across, down = WIDTH - self.left - 13, self.height - 12
        right = f"M{self.left + 6} {self.top}h{across}q6 0 6 6v{down}q0 6-6 6"
        return f"{right}h-{across}q-6 0-6-6v-{down}q0-6 6-6z"

    def rows(self) -> list[tuple[int, int, str]]:
        """Return the lines of text with the point where each begins: x, y of the base line."""
        return [
            (self.left + PADDING + 2, self.top + PADDING + FONT - 2 + number * LEADING, line)
            for number, line in enumerate(self.lines)
        ]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A tree ready to be drawn; ``links`` are the paths from parent to child."""

    boxes: tuple[Box, ...]
    links: tuple[str, ...]
    width: int
    height: int


def draw(guide: Guide, entries: Mapping[str, Entry]) -> Drawing:
    """Return the drawing of a guide; every path through it ends at the question of an entry."""
    boxes: list[Box] = []

    def add(role: str, text: str, depth: int, parent: int | None) -> int:
        top = 1 if not boxes else boxes[-1].top + boxes[-1].height + GAP
        boxes.append(Box(role, wrapped(text, WIDTH - 2 - depth * INDENT - 2 * PADDING - 4), depth, parent, top))
        return len(boxes) - 1

    def ask(node: str, depth: int, parent: int | None) -> None:
        question = add("ask", guide.nodes[node].ask, depth, parent)
        for option in guide.nodes[node].options:
            choice = add("choice", option.text, depth + 1, question)
            if option.node:
                ask(option.node, depth + 2, choice)
            else:
                add("end", _end(option, entries), depth + 2, choice)

    ask(guide.start, 0, None)
    links = tuple(_link(boxes[box.parent], box) for box in boxes if box.parent is not None)
    return Drawing(tuple(boxes), links, WIDTH, boxes[-1].top + boxes[-1].height + 1)


def wrapped(text: str, width: int) -> tuple[str, ...]:
    """Return a text broken into lines no wider than ``width`` units; SVG does not break lines itself."""
    lines, line, used = [], "", 0.0
    for character in text:
        size = FONT if unicodedata.east_asian_width(character) in "WFA" else FONT * 0.6
        if used + size > width and line and character not in "，。；：？！、）」”":
            lines.append(line)
            line, used = "", 0.0
        line, used = line + character, used + size
    return (*lines, line)


def qr_code(address: str) -> str:
    """Return the SVG of a QR code for an address, with its quiet zone; it survives a creased leaflet (level M)."""
    code = segno.make(address, micro=False, error="m")
    return str(code.svg_inline(omitsize=True, border=4, svgclass="qr", lineclass=None))


def _end(option: Option, entries: Mapping[str, Entry]) -> str:
    entry = entries.get(option.entry or "")
    return entry.question if entry else option.text


def _link(parent: Box, child: Box) -> str:
    """Return the path from under a parent's left edge to the middle of a child's."""
    x = parent.left + INDENT // 2
    return f"M{x} {parent.top + parent.height}V{child.top + child.height // 2}H{child.left}"
