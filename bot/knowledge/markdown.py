"""Turns one Markdown file into sections with line numbers: the only part that knows Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

HEADING_ID = re.compile(r"\s*\{#([^}]*)\}\s*$")
FIELD = re.compile(r"^([^：:，。]{1,10})[：:]\s*(.*)$", re.S)

BlockKind = Literal["paragraph", "bullets", "numbers"]


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of text and the line (from 1) it stands on."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph (one item) or a list (its items)."""

    kind: BlockKind
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, the blocks directly under it, and the deeper sections; ``id`` is None when the heading has no {#id}."""

    level: int
    title: str
    id: str | None
    line: int
    blocks: tuple[Block, ...]
    children: tuple[Section, ...]

    def fields(self) -> dict[str, Item]:
        """Return the ``- 名称：内容`` items of the lists directly under the heading, by name."""
        found: dict[str, Item] = {}
        for block in self.blocks:
            for item in block.items if block.kind == "bullets" else ():
                if match := FIELD.match(item.text):
                    found[match[1].strip()] = Item(match[2].strip(), item.line)
        return found

    def items(self) -> tuple[Item, ...]:
        """Return every item of every list directly under the heading."""
        return tuple(item for block in self.blocks if block.kind != "paragraph" for item in block.items)

    def texts(self) -> tuple[Item, ...]:
        """Return paragraphs and list items directly under the heading, in order."""
        return tuple(item for block in self.blocks for item in block.items)

    def child(self, title: str) -> Section | None:
        """Return the deeper section of that title, or None."""
        return next((child for child in self.children if child.title == title), None)


# Only what staff are told they may use; raw HTML, links and emphasis stay plain text.
PARSER = MarkdownIt("zero").enable(["heading", "list"])


@lru_cache(maxsize=400)
def parse(text: str) -> tuple[Section, ...]:
    """Return the top-level sections of a Markdown text; text before the first heading is passed over.

    What a text says never changes, so an edit of one file does not make the others be parsed again.
    """
    sections = _flat_sections(PARSER.parse(text))
    return _nest(sections)


def _flat_sections(tokens: list[Token]) -> list[Section]:
    """Return one section per heading, without children."""
    sections: list[Section] = []
    blocks: list[Block] = []
    heading: tuple[int, str, int] | None = None

    def close() -> None:
        if heading is not None:
            level, title, line = heading
            match = HEADING_ID.search(title)
            name = HEADING_ID.sub("", title).strip()
            sections.append(Section(level, name, match[1].strip() if match else None, line, tuple(blocks), ()))
        blocks.clear()

    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type == "heading_open":
            close()
            heading = (int(token.tag[1]), tokens[position + 1].content, _line(token))
            position += 3
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            end = _matching_close(tokens, position)
            kind: BlockKind = "bullets" if token.type == "bullet_list_open" else "numbers"
            blocks.append(Block(kind, _list_items(tokens[position:end])))
            position = end + 1
        elif token.type == "paragraph_open":
            blocks.append(Block("paragraph", (Item(_joined(tokens[position + 1].content), _line(token)),)))
            position += 3
        else:
            position += 1
    close()
    return sections


def _matching_close(tokens: list[Token], start: int) -> int:
    level = tokens[start].level
    return next(i for i in range(start + 1, len(tokens)) if tokens[i].level == level and tokens[i].nesting == -1)


def _list_items(tokens: list[Token]) -> tuple[Item, ...]:
    return tuple(Item(_joined(token.content), _line(token)) for token in tokens if token.type == "inline")


def _joined(content: str) -> str:
    """Return a paragraph's lines as one: in Chinese a line break in the source is no space."""
    return "".join(line.strip() for line in content.split("\n"))


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0


def _nest(sections: list[Section]) -> tuple[Section, ...]:
    """Return the flat list as a tree: a section's children are those of a deeper level that follow it."""
    tree: list[Section] = []
    position = 0
    while position < len(sections):
        head = sections[position]
        end = position + 1
        while end < len(sections) and sections[end].level > head.level:
            end += 1
        children = _nest(sections[position + 1 : end])
        tree.append(Section(head.level, head.title, head.id, head.line, head.blocks, children))
        position = end
    return tuple(tree)
