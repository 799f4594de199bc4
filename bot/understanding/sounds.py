"""Hears words that sound alike: what an input method or voice recognition makes of a known word."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import product

# Before pypinyin is imported: without these its tables take 57 MB instead of 13.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")

from pypinyin.constants import PINYIN_DICT

SYLLABLE = re.compile(r"^(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(.*)$")
LIKE_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l"}
LIKE_FINAL = {"ang": "an", "eng": "en", "ing": "in", "iang": "ian", "uang": "uan"}

LONGEST, SHORTEST = 4, 2
"""How many characters a word has that may be heard again: one character sounds like too many, five are two words."""

MOST_REMEMBERED = 8192
"""For so many stretches of text it is remembered what they sound like: people use the same words."""

MOST_READINGS = 2
"""How many readings of a character count: the third is a rarity that only makes noise."""


@lru_cache(maxsize=32768)
def sounds(character: str) -> tuple[str, ...]:
    """Return a character's readings without tone, with sounds that people confuse made one (z/zh, n/l, an/ang)."""
    readings = PINYIN_DICT.get(ord(character), "").split(",")[:MOST_READINGS]
    return tuple(dict.fromkeys(_like(reading) for reading in readings if reading))


def _like(reading: str) -> str:
    flat = "".join(c for c in unicodedata.normalize("NFD", reading) if not unicodedata.combining(c))
    match = SYLLABLE.match(flat)
    initial, final = (match[1] or "", match[2]) if match else ("", flat)
    return LIKE_INITIAL.get(initial, initial) + LIKE_FINAL.get(final, final)


def keys(word: str) -> list[str]:
    """Return every way a word may sound."""
    return ["".join(reading) for reading in product(*(sounds(character) or (character,) for character in word))]


class Ear:
    """Knows the words of the knowledge base by sound."""

    def __init__(self, words: Iterable[str], frames: Iterable[str] = ()) -> None:
        """Take the known words, most important first: of two that sound alike the first is heard.

        ``frames`` are known words too, but nothing is heard as one of them.
        """
        self._words = [word for word in words if SHORTEST <= len(word) <= LONGEST]
        self._known = frozenset((*self._words, *frames))
        self._by_sound: dict[str, str] = {}
        for word in self._words:
            for key in keys(word):
                self._by_sound.setdefault(f"{len(word)}{key}", word)
        self._sounding = lru_cache(MOST_REMEMBERED)(self._sound)

    def heard(self, text: str, words: Iterable[str]) -> list[tuple[str, str]]:
        """Return (as written, as known) for each stretch of a text that sounds like a known word but is not one.

        ``words`` are the text as the tokenizer cut it. Longest first, left to right, not overlapping. A stretch that cuts
        into a word of the language is left alone, and so are known words: only what looks like nothing is heard again,
        or a whole word of the language that no entry uses (调节 for 调解).
        """
        free = set(range(len(text))) - self._covered(text, words)
        found: list[tuple[str, str]] = []
        for length in range(LONGEST, SHORTEST - 1, -1):
            for start in sorted(free):
                span = range(start, start + length)
                if not free.issuperset(span):
                    continue
                written = text[start : start + length]
                known = self._sounding(written)
                if known is not None:
                    found.append((written, known))
                    free.difference_update(span)
        return found

    def _covered(self, text: str, words: Iterable[str]) -> set[int]:
        """Return the places in the text that are part of a word and so not to be heard as part of another."""
        covered: set[int] = set()
        position = 0
        for word in words:
            start = text.find(word, position)
            position = start + len(word)
            if len(word) >= SHORTEST and (word in self._known or self._sounding(word) is None):
                covered.update(range(start, position))
        return covered

    def _sound(self, written: str) -> str | None:
        for key in keys(written):
            word = self._by_sound.get(f"{len(written)}{key}")
            if word is not None and word != written:
                return word
        return None
