"""An inverted index from features to groups of texts: says what share of a question each group covers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

SATURATION = 3.0
"""BM25's k1: the tenth time that a group says a word adds little."""

LENGTH_SHARE = 0.7
"""BM25's b: how much an entry with many ways of asking has to say a word more often."""


class Index:
    """How much of a question each group knows; built once, never changed, safe to share between threads.

    A group is a bag: how many of its texts have each feature. All postings stand in two flat arrays, one after another:
    an array of its own for each of 100,000 features would cost more than what is in it.
    """

    def __init__(self, bags: Sequence[Mapping[str, int]]) -> None:
        self.size = len(bags)
        self.unseen = math.log(1 + 2 * max(1, self.size))
        names: dict[str, int] = {}
        features = np.fromiter((names.setdefault(n, len(names)) for bag in bags for n in bag), dtype=np.int32)
        groups = np.repeat(np.arange(self.size, dtype=np.int32), [len(bag) for bag in bags])
        shares = _shares(bags, groups)
        order = np.argsort(features, kind="stable")
        counts = np.bincount(features, minlength=len(names))
        self._names = names
        self._bag_features: Ints = features
        self._bag_counts = np.fromiter((c for bag in bags for c in bag.values()), dtype=np.int16, count=len(features))
        self._bag_ends = np.cumsum([len(bag) for bag in bags]).tolist()
        self._groups: Ints = groups[order]
        self._shares: Floats = shares[order]
        self._ends = np.cumsum(counts).tolist()
        self._rarity: list[float] = np.log(1 + self.size / (counts + 0.5)).tolist()

    def bags(self) -> Iterator[dict[str, int]]:
        """Yield every group's bag again, in order: what another index is made from when little has changed."""
        names = list(self._names)
        start = 0
        for end in self._bag_ends:
            features, counts = self._bag_features[start:end].tolist(), self._bag_counts[start:end].tolist()
            yield {names[feature]: count for feature, count in zip(features, counts, strict=True)}
            start = end

    def rarity(self, name: str) -> float:
        """Return how telling a feature is: the fewer groups have it the more; one never seen is as telling as can be."""
        number = self._names.get(name)
        return self.unseen if number is None else self._rarity[number]

    def knows(self, name: str) -> bool:
        """Return whether any group has the feature."""
        return name in self._names

    def has(self, group: int, name: str) -> bool:
        """Return whether a group has the feature."""
        number = self._names.get(name)
        return number is not None and bool((self._groups[self._place(number)] == group).any())

    def weigh(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return a text's features, each weighted by how telling it is."""
        return {name: count * self.rarity(name) for name, count in features.items()}

    def shares(self, weighted: Mapping[str, float]) -> Floats:
        """Return for each group the share, 0 to 1, of a weighted question that it covers."""
        known = [(self._place(self._names[name]), weight) for name, weight in weighted.items() if name in self._names]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        groups = np.concatenate([self._groups[place] for place, _ in known])
        parts = np.concatenate([self._shares[place] for place, _ in known])
        weights = np.repeat([weight for _, weight in known], [place.stop - place.start for place, _ in known])
        return (np.bincount(groups, parts * weights, self.size) / sum(weighted.values())).astype(np.float32)

    def _place(self, number: int) -> slice:
        """Return where a feature's postings stand."""
        return slice(self._ends[number - 1] if number else 0, self._ends[number])


def bag_of(texts: Iterable[Mapping[str, float]]) -> Counter[str]:
    """Return how many of some texts (as features) have each feature."""
    bag: Counter[str] = Counter()
    for features in texts:
        bag.update(features.keys())
    return bag


def _shares(bags: Sequence[Mapping[str, int]], groups: Ints) -> Floats:
    """Return BM25's part of each (group, feature): how often the group says it, saturating, by the group's length."""
    counts = np.fromiter((count for bag in bags for count in bag.values()), dtype=np.float32, count=len(groups))
    sizes = np.bincount(groups, counts, len(bags))
    average = float(sizes.mean()) if len(bags) else 1.0
    pivots = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * sizes / (average or 1.0))
    return (counts / (counts + pivots[groups])).astype(np.float32)
