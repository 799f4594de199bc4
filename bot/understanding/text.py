"""Brings what people type to one form: width, traditional to simplified, dialect and slang words, noise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from opencc import OpenCC

WECHAT_FACES = re.compile(r"\[[一-龥A-Za-z]{1,4}\]|/::?[^\s一-龥]{1,3}|/:[a-z]+", re.I)
NOISE = re.compile(r"[^\w\s。，！？；：、,.!?;:…~%％/-]|_", re.U)
SPACES = re.compile(r"\s+")
MARKS = re.compile(r"[\W_]+")
REPEATED = re.compile(r"([一-龥]{1,4}?)\1{3,}")
SENTENCES = re.compile(r"[。！？!?；;\n…]+|\s{1,}|[，,]")


@dataclass(frozen=True, slots=True)
class Text:
    """A question in its one form; ``plain`` before the word lists, ``standard`` after them, both may be empty."""

    plain: str
    standard: str


def simplified(converter: OpenCC, raw: str) -> str:
    """Return a text narrowed, lower-cased, simplified, without emoji, control, zero-width or direction marks."""
    narrow = unicodedata.normalize("NFKC", raw.encode("utf-8", "ignore").decode())
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " if c in "\n\r\t" else "" for c in narrow)
    faceless = NOISE.sub(" ", WECHAT_FACES.sub(" ", visible))
    return SPACES.sub(" ", converter.convert(faceless).lower()).strip()


class Normaliser:
    """Applies the word lists of a knowledge base; the lists themselves pass through the same conversion as questions.

    OpenCC turns some dialect characters into rare ones (嗰 into 𠮶), so a list that did not would never match.
    """

    def __init__(self, replace: Mapping[str, str]) -> None:
        self._converter = OpenCC("t2s")
        pairs = {simplified(self._converter, variant): standard for variant, standard in replace.items()}
        self._by_first = _by_first(pairs)
        # A standard word stays what it is, though a variant stands inside it: 拖欠工资 has 欠工资, which is read as 拖欠工资.
        self._pairs = {word: word for word in pairs.values() if self.standard(word) != word} | pairs
        self._by_first = _by_first(self._pairs)

    def __call__(self, raw: str) -> Text:
        """Return the one form of a text; at most the first 2,000 characters should be handed in."""
        plain = simplified(self._converter, raw)
        return Text(plain, self.standard(plain))

    def standard(self, plain: str) -> str:
        """Return a simplified text with dialect and slang words replaced, longest first, left to right.

        What is said over and over (急急急急急) is said twice: it does not tell more.
        """
        plain = REPEATED.sub(r"\1\1", plain)
        out: list[str] = []
        position = 0
        while position < len(plain):
            for variant, standard in self._by_first.get(plain[position], ()):
                if plain.startswith(variant, position) and _whole_word(plain, position, variant):
                    out.append(standard)
                    position += len(variant)
                    break
            else:
                out.append(plain[position])
                position += 1
        return "".join(out)

    def differing(self, other: Normaliser) -> frozenset[str]:
        """Return the words (simplified) that another list replaces otherwise: what has none of them is read the same."""
        return frozenset(variant for variant, _ in self._pairs.items() ^ other._pairs.items() if variant)


def _by_first(pairs: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Return variants with their standard words by the variants' first characters, the longest first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for variant in sorted(filter(None, pairs), key=len, reverse=True):
        found.setdefault(variant[0], []).append((variant, pairs[variant]))
    return found


def _whole_word(text: str, start: int, variant: str) -> bool:
    """Latin variants (mt, ot) count only as whole words; Chinese has no such borders."""
    if not variant.isascii():
        return True
    before, after = text[start - 1 : start], text[start + len(variant) : start + len(variant) + 1]
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


def sentences(text: str) -> list[str]:
    """Return the clauses of a text that have at least two characters."""
    return [part.strip() for part in SENTENCES.split(text) if len(part.strip()) > 1]


def compact(text: str) -> str:
    """Return a text without spaces and punctuation, for whole-sentence comparison."""
    return MARKS.sub("", text)
