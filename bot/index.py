"""An inverted index from features to groups of texts: says what share of a question each group covers."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

SATURATION = 3.0
"""BM25's k1: the tenth time that a group says a word adds little."""

LENGTH_SHARE = 0.7
"""BM25's b, how much an entry with many ways of asking has to say a word more often."""


class Index:
    """How much of a question each group knows; built once, never changed, safe to share between threads.

    A group is a bag: how many of its texts have each feature.
    """

    def __init__(self, bags: Sequence[Mapping[str, int]]) -> None:
        self.size = len(bags)
        self.unseen = math.log(1 + 2 * max(1, self.size))
        found: Counter[str] = Counter()
        for bag in bags:
            found.update(bag.keys())
        self._rarity = {name: math.log(1 + self.size / (count + 0.5)) for name, count in found.items()}
        self._postings = _invert(bags)

    def rarity(self, name: str) -> float:
        """Return how telling a feature is: the fewer groups have it the more; one never seen is as telling as can be."""
        return self._rarity.get(name, self.unseen)

    def knows(self, name: str) -> bool:
        """Return whether any group has the feature."""
        return name in self._rarity

    def has(self, group: int, name: str) -> bool:
        """Return whether a group has the feature."""
        found = self._postings.get(name)
        return found is not None and bool((found[0] == group).any())

    def weigh(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return a text's features, each weighted by how telling it is."""
        return {name: count * self.rarity(name) for name, count in features.items()}

    def shares(self, weighted: Mapping[str, float]) -> Floats:
        """Return for each group the share, 0 to 1, of a weighted question that it covers."""
        known = [(self._postings[name], weight) for name, weight in weighted.items() if name in self._postings]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        groups = np.concatenate([posting[0] for posting, _ in known])
        parts = np.concatenate([posting[1] * np.float32(weight) for posting, weight in known])
        return (np.bincount(groups, parts, self.size) / sum(weighted.values())).astype(np.float32)


def bag_of(texts: Iterable[Mapping[str, float]]) -> Counter[str]:
    """Return how many of some texts (as features) have each feature."""
    bag: Counter[str] = Counter()
    for features in texts:
        bag.update(features.keys())
    return bag


def _invert(bags: Sequence[Mapping[str, int]]) -> dict[str, tuple[Ints, Floats]]:
    sizes = [sum(bag.values()) for bag in bags]
    average = sum(sizes) / max(1, len(sizes)) or 1.0
    found: defaultdict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
    for group, (bag, size) in enumerate(zip(bags, sizes, strict=True)):
        pivot = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * size / average)
        for name, count in bag.items():
            posting = found[name]
            posting[0].append(group)
            posting[1].append(count / (count + pivot))
    return {
        name: (np.array(groups, dtype=np.int32), np.array(shares, dtype=np.float32))
        for name, (groups, shares) in found.items()
    }
