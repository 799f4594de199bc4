"""Cuts a normalised text into features: words (jieba), pairs of characters, characters."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import jieba

from bot.files import write_atomically

jieba.setLogLevel(logging.WARNING)

RUNS = re.compile(r"[一-龥]+|[a-z]+|\d+(?:\.\d+)?")
CHINESE = re.compile(r"[一-龥]+")

WORD, PAIR, CHARACTER = 0.7, 0.6, 0.15
"""What one feature of each kind counts before its rarity: a whole word says more than its characters."""

KNOWN_FREQUENCY = 20_000
"""How common the knowledge base's own words are made, so that 美团干了 is cut 美团/干了 and not 美/团干/了."""

TOTAL = 62_701_967
"""What all frequencies are said to add up to, whatever the lists: one more word changes no cut but where it stands itself."""

PART_SIZES = (2, 3)
"""How long the words inside a longer word are."""

FRAME = 0.1
"""What a frame word (怎么办, 可以吗, 平台) counts: almost nothing."""


LONGEST_WORD, RAREST_WORD = 4, 4
"""What jieba's dictionary is kept down to, characters and frequency: the rest is names, sayings and what nobody types here,
and half of the memory and two thirds of the time of a start."""


class Cutter:
    """Cuts texts with a tokenizer of its own, which knows the knowledge base's words; ready when made."""

    def __init__(self, words: Iterable[str], frames: Iterable[str], folder: Path) -> None:
        """Make a cutter; ``folder`` is a private place for jieba's cache (the shared temporary folder is not safe)."""
        folder.mkdir(parents=True, exist_ok=True)
        self._tokenizer = jieba.Tokenizer(_everyday_words(folder))
        self._tokenizer.tmp_dir = str(folder)
        if self._tokenizer.dictionary is not None:  # jieba would name it by the path, and not find it in a copied folder
            self._tokenizer.cache_file = f"{Path(self._tokenizer.dictionary).stem}.cache"
        self._tokenizer.initialize()
        self._set_lists(words, frames)

    def relisted(self, words: Iterable[str], frames: Iterable[str]) -> Cutter:
        """Return a cutter for other lists without reading the dictionary again; this one is left as it is."""
        other = Cutter.__new__(Cutter)
        other._tokenizer = jieba.Tokenizer()
        other._tokenizer.FREQ = {**self._tokenizer.FREQ, **self._before}
        other._tokenizer.initialized = True
        other._set_lists(words, frames)
        return other

    def _set_lists(self, words: Iterable[str], frames: Iterable[str]) -> None:
        """Add the knowledge base's own words to a fresh dictionary, noting what it said of them before."""
        frequencies = self._tokenizer.FREQ
        self._before: dict[str, int] = {}
        for word in words:
            for part in accumulate(word):  # jieba notes every beginning of a word, too
                self._before.setdefault(part, frequencies.get(part, 0))
            self._tokenizer.add_word(word, KNOWN_FREQUENCY)
        self._tokenizer.total = TOTAL
        self._frames = frozenset(frames)

    def words(self, text: str) -> list[str]:
        """Return the words of a text in order, without punctuation and spaces."""
        return [word for word in self._tokenizer.cut(text, HMM=False) if RUNS.fullmatch(word)]

    def with_parts(self, words: Iterable[str]) -> Iterator[str]:
        """Yield words, each after the shorter words inside it (灵活就业: 灵活, 就业, 灵活就业)."""
        known = self._tokenizer.FREQ
        for word in words:
            for size in PART_SIZES:
                if len(word) > size:
                    yield from (part for i in range(len(word) - size + 1) if known.get(part := word[i : i + size]))
            yield word

    def is_frame(self, word: str) -> bool:
        """Return whether a word frames a question without saying what it is about."""
        return word in self._frames or (len(word) == 1 and not word.isdigit())

    def telling(self, words: Sequence[str], features: Mapping[str, float]) -> list[str]:
        """Return the features that say what a text, given as its words and features, is about.

        They are its content words, or its pairs of characters: colloquial speech may be cut into single characters alone
        (手让锯给拉了). What is nothing but listed frames has none.
        """
        content = [f"w:{word}" for word in words if not self.is_frame(word)]
        if content or all(word in self._frames for word in words):
            return content
        return [name for name, count in features.items() if name.startswith("b:") and count == PAIR]

    def features(self, text: str, words: Iterable[str]) -> dict[str, float]:
        """Return the features of a text and its words: ``w:`` words, ``b:`` pairs and ``c:`` characters."""
        found: dict[str, float] = {}
        for word in self.with_parts(words):
            frame = self.is_frame(word)
            found[f"w:{word}"] = FRAME if frame else WORD
            if frame:
                continue
            for character in word if CHINESE.fullmatch(word) else ():
                found[f"c:{character}"] = CHARACTER
        for pair in pairs_of(text):
            found[f"b:{pair}"] = FRAME if pair in self._frames else PAIR
        return found


def pairs_of(text: str) -> dict[str, None]:
    """Return the pairs of neighbouring Chinese characters in a text, each once, in their order."""
    return {left + right: None for run in CHINESE.findall(text) for left, right in pairwise(run)}


def _everyday_words(folder: Path) -> str | None:
    """Return jieba's dictionary (a path) without its long and rare words, made once; None, for the whole, on a full disk."""
    path = folder / f"words-{jieba.__version__}-{LONGEST_WORD}-{RAREST_WORD}.txt"
    try:
        if not path.exists():
            with jieba.Tokenizer().get_dict_file() as file:
                rows = [row for row in file.read().decode().splitlines() if _is_everyday(row)]
            write_atomically(path, "\n".join(rows).encode())
    except OSError:
        return None
    return str(path)


def _is_everyday(row: str) -> bool:
    """Return whether a row of jieba's dictionary (word, frequency, part of speech) is kept."""
    word, frequency = row.split(" ")[:2]
    return len(word) <= LONGEST_WORD and int(frequency) >= RAREST_WORD
