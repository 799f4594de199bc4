"""An inverted index from features to groups of texts: says what share of a question each group covers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

SATURATION = 3.0
"""BM25's k1: the tenth time that a group says a word adds little."""

LENGTH_SHARE = 0.7
"""BM25's b: how much an entry with many ways of asking has to say a word more often."""


Bag = tuple[Ints, Ints]
"""A group's features (numbers) and how many of its texts have each."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """A question as an index weighs it: its known features (numbers), what they count, their weights, and the whole weight."""

    features: Ints
    counts: Floats
    weights: Floats
    total: float


class Index:
    """How much of a question each group knows; built once, never changed, safe to share between threads.

    A group is a bag: how many of its texts have each feature. Beside the groups stand what they are part of, layer by
    layer (their services, their measures): each is the bag of its groups together. All postings of all layers stand in two
    flat arrays, feature by feature: an array of its own for each of 100,000 features would cost more than what is in it,
    and so every layer is asked in one go.
    """

    def __init__(self, names: dict[str, int], bags: Sequence[Bag], layers: Sequence[Sequence[int]] = ()) -> None:
        """Take every feature's number, and each group's bag in those numbers; ``names`` may have features no bag has.

        Each of ``layers`` says for every group which number of that layer (0, 1, …) it is part of.
        """
        self.names = names
        self.size = len(bags)
        self._bags = tuple(bags)
        features = _joined([bag[0] for bag in bags])
        counts = _joined([bag[1] for bag in bags])
        groups = np.repeat(np.arange(self.size, dtype=np.int32), [len(bag[0]) for bag in bags])
        postings = [(features, groups, counts, self.size)]
        postings += [merged(features, groups, counts, np.array(labels, dtype=np.int64), len(names)) for labels in layers]
        self._sizes = [size for *_, size in postings]
        firsts = np.cumsum([0, *self._sizes[:-1]])
        every = np.concatenate([features for features, *_ in postings])
        order = np.argsort(every, kind="stable")
        lengths = np.bincount(every, minlength=len(names))
        shifted = [groups + first for (_, groups, _, _), first in zip(postings, firsts, strict=True)]
        shares = [_shares(groups, counts, size) for _, groups, counts, size in postings]
        self._groups: Ints = np.concatenate(shifted).astype(np.int32)[order]
        self._shares: Floats = np.concatenate(shares)[order]
        self._lengths: Ints = lengths.astype(np.int32)
        self._starts: Ints = (np.cumsum(lengths) - lengths).astype(np.int32)
        having = np.bincount(features, minlength=len(names))
        self._rarity: Floats = np.log(1 + self.size / (having + 0.5)).astype(np.float32)
        self._unseen = math.log(1 + 2 * max(1, self.size))

    def bag(self, group: int) -> Bag:
        """Return a group's bag, as it was given."""
        return self._bags[group]

    def totals(self, groups: Sequence[int]) -> Ints:
        """Return how many texts of some groups have each feature, by its number."""
        features, counts = (_joined([self._bags[group][part] for group in groups]) for part in (0, 1))
        return np.bincount(features, counts, len(self.names)).astype(np.int32)

    def rarity(self, name: str) -> float:
        """Return how telling a feature is: the fewer groups have it the more; one never seen is as telling as can be."""
        number = self.names.get(name)
        return self._unseen if number is None else float(self._rarity[number])

    def knows(self, name: str) -> bool:
        """Return whether any group has the feature."""
        number = self.names.get(name)
        return number is not None and bool(self._lengths[number])

    def has(self, group: int, name: str) -> bool:
        """Return whether a group has the feature."""
        number = self.names.get(name)
        if number is None:
            return False
        start, length = self._starts.item(number), self._lengths.item(number)
        having = self._groups[start : start + length]  # in order of the groups
        place = int(having.searchsorted(group))
        return place < length and having.item(place) == group

    def weigh(self, features: Mapping[str, float]) -> Weighted:
        """Return a text's features (what each counts, by name), weighted by how telling each is."""
        known = [(number, count) for name, count in features.items() if (number := self.names.get(name)) is not None]
        numbers = np.array([number for number, _ in known], dtype=np.int32)
        counts = np.array([count for _, count in known], dtype=np.float32)
        weights = counts * self._rarity[numbers]
        strange = sum(features.values()) - sum(count for _, count in known)
        return Weighted(numbers, counts, weights, float(weights.sum()) + strange * self._unseen)

    def shares(self, weighted: Weighted) -> list[Floats]:
        """Return the share, 0 to 1, of a weighted question that each group covers; then the same for every layer.

        The same weights count for all: how telling a feature is, is a matter of groups.
        """
        lengths = self._lengths[weighted.features]
        ends = np.cumsum(lengths)
        if not len(ends) or not ends[-1]:
            return [np.zeros(size, dtype=np.float32) for size in self._sizes]
        # Every posting of every feature in one go: where each feature's stretch starts, counted on from there.
        places = np.arange(ends[-1]) + np.repeat(self._starts[weighted.features] - (ends - lengths), lengths)
        parts = self._shares[places] * np.repeat(weighted.weights, lengths)
        every = (np.bincount(self._groups[places], parts, sum(self._sizes)) / weighted.total).astype(np.float32)
        return np.split(every, np.cumsum(self._sizes[:-1]))


def bag_of(texts: Iterable[Mapping[str, float]], names: dict[str, int]) -> Bag:
    """Return how many of some texts (as features) have each feature; features new to ``names`` get a number there."""
    counted: Counter[str] = Counter()
    for features in texts:
        counted.update(features.keys())
    numbers = [names.setdefault(name, len(names)) for name in counted]
    return np.array(numbers, dtype=np.int32), np.array(list(counted.values()), dtype=np.int32)


def changed(bag: Bag, more: Bag, less: Bag) -> Bag:
    """Return a bag with the texts of another one more and those of a third less; the same bag when both are empty."""
    if not len(more[0]) and not len(less[0]):
        return bag
    counted = Counter(dict(zip(bag[0].tolist(), bag[1].tolist(), strict=True)))
    counted.update(dict(zip(more[0].tolist(), more[1].tolist(), strict=True)))
    counted.subtract(dict(zip(less[0].tolist(), less[1].tolist(), strict=True)))
    left = {number: count for number, count in counted.items() if count}
    return np.array(list(left), dtype=np.int32), np.array(list(left.values()), dtype=np.int32)


def _joined(arrays: Sequence[Ints]) -> Ints:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int32)


def merged(features: Ints, groups: Ints, counts: Ints, labels: Numbers, names: int) -> tuple[Ints, Ints, Ints, int]:
    """Return the postings (features, groups, counts) of the groups merged by label, and how many labels there are."""
    size = int(labels.max(initial=-1)) + 1
    if not len(features):
        return features, groups, counts, size
    keys = labels[groups] * names + features
    order = np.argsort(keys, kind="stable")  # three times as fast as np.unique
    keys = keys[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=-1))
    merged = np.add.reduceat(counts[order], firsts).astype(np.int32)
    return (keys[firsts] % names).astype(np.int32), (keys[firsts] // names).astype(np.int32), merged, size


def _shares(groups: Ints, counts: Ints, size: int) -> Floats:
    """Return BM25's part of each (group, feature): how often the group says it, saturating, by the group's length."""
    sizes = np.bincount(groups, counts, size)
    average = float(sizes.mean()) if size else 1.0
    pivots = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * sizes / (average or 1.0))
    return (counts / (counts + pivots[groups])).astype(np.float32)
