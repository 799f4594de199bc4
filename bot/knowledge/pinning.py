"""Moves a problem from the heading under which it was found to the very line that it quotes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.knowledge.problems import Problem

QUOTED = re.compile(r"(?<!是不是)「([^」]+)」")
HEADING = re.compile(r"#{1,2} ")


def pinned(problem: Problem, texts: Mapping[str, str]) -> Problem:
    """Return a problem at the last line of its section that has something it quotes; as it is when nothing is found."""
    lines = texts.get(problem.path, "").split("\n")
    start = problem.line - 1
    if start >= len(lines) or not HEADING.match(lines[start]):
        return problem
    section = range(start + 1, _end(lines, start))
    for words in reversed(QUOTED.findall(problem.text)):
        found = next((number for number in section if words in lines[number]), None)
        if found is not None:
            return replace(problem, line=found + 1)
    return problem


def _end(lines: Sequence[str], start: int) -> int:
    """Return where a section ends: at the next ``##``, for the whole file's heading at the file's end."""
    if lines[start].startswith("# "):
        return len(lines)
    return next((number for number in range(start + 1, len(lines)) if HEADING.match(lines[number])), len(lines))
