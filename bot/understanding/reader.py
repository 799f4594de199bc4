"""Tells one kind of text from all others by its features, learnt from examples (naive Bayes); pure.

Two readers stand on it: what reads like danger against ordinary talk (``emergency``), what reads like small talk against
all questions (``smalltalk``).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

UNSEEN = 0.3
"""What a feature counts that one side has never used."""

SHORT = 14
"""A text with fewer features than this is read as if it had so many: a word or two say little."""

LEAST_TELLING = 0.8
"""A feature that speaks for neither side more than this (logarithm) is left out: it costs memory and decides nothing."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Tells how much a text reads like one side of its examples, and like which kind of that side.

    ``odds`` is what each feature speaks for the side (logarithm); ``kinds`` how often each kind has it, ``sizes`` how many
    each kind has in all.
    """

    odds: Mapping[str, float]
    kinds: Mapping[str, Counter[str]]
    sizes: Mapping[str, float]

    def loudness(self, names: Collection[str]) -> float:
        """Return how much a text, given as its features, reads like the side: above 0 more so than like the others."""
        return sum(self.odds.get(name, 0.0) for name in names) / math.sqrt(max(SHORT, len(names)))

    def nearness(self, names: Collection[str], kind: str) -> float:
        """Return how likely one kind of the side writes like this (logarithm)."""
        counts, size = self.kinds[kind], self.sizes[kind]
        return sum(math.log((counts[name] + UNSEEN) / size) for name in names)

    def nearest(self, names: Collection[str]) -> str:
        """Return the kind that most likely writes like this."""
        return max(self.kinds, key=lambda kind: self.nearness(names, kind))


def make_reader(kinds: Mapping[str, Counter[str]], others: Counter[str]) -> Reader:
    """Return a reader from how many examples of each kind, and of all others, have each feature."""
    side = Counter[str]()
    for counts in kinds.values():
        side.update(counts)
    names = list(side | others)
    times = others.total() / side.total()  # the larger side has everything oftener
    ours = np.fromiter(map(side.__getitem__, names), dtype=np.float64, count=len(names))
    theirs = np.fromiter(map(others.__getitem__, names), dtype=np.float64, count=len(names))
    told = np.log((ours + UNSEEN) * times / (theirs + UNSEEN * times))
    odds = {names[n]: float(told[n]) for n in np.flatnonzero(np.abs(told) >= LEAST_TELLING)}
    return Reader(odds, kinds, {kind: counts.total() + UNSEEN * len(names) for kind, counts in kinds.items()})
