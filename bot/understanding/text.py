"""Brings what people type to one form: width, traditional to simplified, dialect and slang words, noise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import add

from opencc import OpenCC

WECHAT_FACES = re.compile(r"\[[一-龥A-Za-z]{1,4}\]|/::?[^\s一-龥]{1,3}|/:[a-z]+", re.I)
NOISE = re.compile(r"[^\w\s。，！？；：、,.!?;:…~%％/-]|_", re.U)
SPACES = re.compile(r"\s+")
MARKS = re.compile(r"[\W_]+")
REPEATED = re.compile(r"([一-龥]{1,4}?)\1{3,}")
SENTENCES = re.compile(r"[。！？!?；;\n…]+|\s{1,}|[，,]")


class _Visible(dict[int, int | str]):
    """For ``str.translate``: takes control, zero-width and direction marks out, each character looked up once."""

    def __missing__(self, code: int) -> int | str:
        character = chr(code)
        hidden = " " if character in "\n\r\t" else ""
        self[code] = hidden if unicodedata.category(character)[0] == "C" else code
        return self[code]


VISIBLE = _Visible()


@dataclass(frozen=True, slots=True)
class Text:
    """A question in its one form; ``plain`` before the word lists, ``standard`` after them, both may be empty."""

    plain: str
    standard: str


def simplified(converter: OpenCC, raw: str) -> str:
    """Return a text narrowed, lower-cased, simplified, without emoji, control, zero-width or direction marks."""
    narrow = unicodedata.normalize("NFKC", raw.encode("utf-8", "ignore").decode())
    faceless = NOISE.sub(" ", WECHAT_FACES.sub(" ", narrow.translate(VISIBLE)))
    return SPACES.sub(" ", converter.convert(faceless).lower()).strip()


class Normaliser:
    """Applies the word lists of a knowledge base; the lists themselves pass through the same conversion as questions.

    OpenCC turns some dialect characters into rare ones (嗰 into 𠮶), so a list that did not would never match.
    """

    def __init__(self, replace: Mapping[str, str]) -> None:
        self._converter = OpenCC("t2s")
        pairs = {simplified(self._converter, variant): standard for variant, standard in replace.items()}
        self._pairs, self._by_start = pairs, by_start(pairs)
        # A standard word stays what it is, though a variant stands inside it: 拖欠工资 has 欠工资, which is read as 拖欠工资.
        self._pairs = {word: word for word in pairs.values() if self.standard(word) != word} | pairs
        self._by_start = by_start(self._pairs)

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
        done = 0
        for position, words in starting(self._by_start, plain):
            if position < done:
                continue
            fitting = (w for w in words if plain.startswith(w, position) and _whole_word(plain, position, w))
            variant = next(fitting, "")
            if variant:
                out += (plain[done:position], self._pairs[variant])
                done = position + len(variant)
        return "".join((*out, plain[done:]))

    def differing(self, other: Normaliser) -> frozenset[str]:
        """Return the words (simplified) that another list replaces otherwise: what has none of them is read the same."""
        return frozenset(variant for variant, _ in self._pairs.items() ^ other._pairs.items() if variant)


def by_start(words: Iterable[str]) -> dict[str, list[str]]:
    """Return words by their first two characters, or by the only one they have, the longest first."""
    found: dict[str, list[str]] = {}
    for word in sorted(filter(None, words), key=len, reverse=True):
        found.setdefault(word[:2], []).append(word)
    return found


def starting(known: Mapping[str, list[str]], text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each position of a text where words (by start) may begin, in order, with those words, the longer first."""
    for position, pair in enumerate(map(add, text, f"{text[1:]} ")):
        if pair in known:
            yield position, known[pair]
        if pair[0] in known:
            yield position, known[pair[0]]


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
    return text if text.isalnum() else MARKS.sub("", text)
