"""Finds the ask in a story: of many sentences the few that want to know something; pure."""

from __future__ import annotations

import re

STORY = 40
"""From this many characters on a text of several sentences is read as a story."""

ENDS = re.compile(r"(?<=[。!?;…])|\n")
ASKS = re.compile(
    r"\?|吗|呢[ ?。,!]|怎么|如何|怎样|咋|能不能|可不可以|可以不|能否|是否|是不是|有没有|有冇|要不要|会不会|算不算|行不行|该不该"
    r"|多少|几时|几钱|多久|几天|哪|谁|什么|啥|请问|想问|问下|问一下|想知道|求助|求问|为何|凭"
)


def ask_of(text: str) -> str | None:
    """Return the sentences of a story that ask, joined; None for what is no story, asks nothing, or nothing but asks."""
    if len(text) < STORY:
        return None
    parts = [part for part in ENDS.split(text) if part.strip()]
    asking = [part for part in parts if ASKS.search(part)]
    return " ".join(asking) if asking and len(asking) < len(parts) else None
