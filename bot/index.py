"""Holds every way of asking as weighted features, and says how near a question is to each: immutable, in memory."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Features = Mapping[str, float]
"""A text's features (``w:失业``, ``b:失业``, ``c:失``) and what each counts before its rarity is known."""

SATURATION = 1.2
"""BM25's k1: the third time an entry says a word adds little."""

LENGTH_SHARE = 0.4
"""BM25's b, low: an entry with many ways of asking is not a worse answer for it."""


@dataclass(frozen=True, slots=True)
class Group:
    """What is to be found: an id and all its ways of asking, plus texts that support it without being asked."""

    id: str
    phrasings: tuple[str, ...]
    support: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a question is to every group, in the index's group order.

    ``best`` is the cosine (0 to 1) with the nearest phrasing, ``phrasing`` its number, ``bag`` the BM25-like share
    (0 to 1) of the question's weight that the group's whole vocabulary covers.
    """

    best: Floats
    phrasing: Ints
    bag: Floats


class Index:
    """An inverted index over groups of phrasings; built once, never changed, safe to share between threads."""

    def __init__(self, groups: Sequence[Group], features: Callable[[str], Features]) -> None:
        self.groups = tuple(groups)
        self.position = {group.id: number for number, group in enumerate(groups)}
        self.phrasings = tuple(phrasing for group in groups for phrasing in group.phrasings)
        self._features = features
        per_phrasing = [features(phrasing) for phrasing in self.phrasings]
        self._starts = np.cumsum([0, *(len(group.phrasings) for group in groups)][:-1], dtype=np.int64)
        bags = self._bags(per_phrasing)
        self.rarity = _rarity(bags)
        self._norms, self._postings = self._invert(per_phrasing)
        self._bag_postings = self._invert_bags(bags)

    def weigh(self, features: Features) -> dict[str, float]:
        """Return a text's features weighted by how telling each is here; a feature never seen counts as most telling."""
        unseen = math.log(1 + len(self.groups))
        return {name: count * self.rarity.get(name, unseen) for name, count in features.items()}

    def knows(self, name: str) -> bool:
        """Return whether any group has the feature."""
        return name in self.rarity

    def has(self, group: int, name: str) -> bool:
        """Return whether a group has the feature."""
        found = self._bag_postings.get(name)
        return found is not None and bool(np.any(found[0] == group))

    def nearness(self, weighted: Mapping[str, float]) -> Nearness:
        """Return how near a weighted question is to every group."""
        scores = np.zeros(len(self.phrasings), dtype=np.float32)
        bag = np.zeros(len(self.groups), dtype=np.float32)
        total = sum(weighted.values()) or 1.0
        for name, weight in weighted.items():
            if name in self._postings:
                ids, weights = self._postings[name]
                scores[ids] += weight * weights
                bag_ids, shares = self._bag_postings[name]
                bag[bag_ids] += (weight / total) * shares
        norm = math.sqrt(sum(weight * weight for weight in weighted.values())) or 1.0
        scores /= self._norms * norm
        best = np.maximum.reduceat(scores, self._starts)
        return Nearness(best, self._first_at(scores, best), bag)

    def nearest_phrasing(self, nearness: Nearness, group: int) -> str:
        """Return the group's phrasing nearest to the question."""
        return self.phrasings[int(nearness.phrasing[group])]

    def _first_at(self, scores: Floats, best: Floats) -> Ints:
        """Return, for the few best groups, the number of the phrasing that made them so (0 for the others)."""
        found = np.zeros(len(self.groups), dtype=np.int32)
        for group in np.argsort(-best)[:40]:
            start = int(self._starts[group])
            end = start + len(self.groups[group].phrasings)
            found[group] = start + int(np.argmax(scores[start:end]))
        return found

    def _bags(self, per_phrasing: Sequence[Features]) -> list[Counter[str]]:
        bags: list[Counter[str]] = []
        position = 0
        for group in self.groups:
            bag: Counter[str] = Counter()
            for features in per_phrasing[position : position + len(group.phrasings)]:
                bag.update(dict.fromkeys(features, 1))
            for text in group.support:
                bag.update(dict.fromkeys(self._features(text), 1))
            bags.append(bag)
            position += len(group.phrasings)
        return bags

    def _invert(self, per_phrasing: Sequence[Features]) -> tuple[Floats, dict[str, tuple[Ints, Floats]]]:
        ids: defaultdict[str, list[int]] = defaultdict(list)
        weights: defaultdict[str, list[float]] = defaultdict(list)
        norms = np.ones(len(per_phrasing), dtype=np.float32)
        for number, features in enumerate(per_phrasing):
            weighted = self.weigh(features)
            norms[number] = math.sqrt(sum(weight * weight for weight in weighted.values())) or 1.0
            for name, weight in weighted.items():
                ids[name].append(number)
                weights[name].append(weight)
        return norms, {
            name: (np.array(numbers, dtype=np.int32), np.array(weights[name], dtype=np.float32))
            for name, numbers in ids.items()
        }

    def _invert_bags(self, bags: Sequence[Counter[str]]) -> dict[str, tuple[Ints, Floats]]:
        sizes = [sum(bag.values()) for bag in bags]
        average = sum(sizes) / max(1, len(sizes)) or 1.0
        found: defaultdict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for group, (bag, size) in enumerate(zip(bags, sizes, strict=True)):
            pivot = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * size / average)
            for name, count in bag.items():
                found[name][0].append(group)
                found[name][1].append(count / (count + pivot))
        return {
            name: (np.array(ids, dtype=np.int32), np.array(shares, dtype=np.float32))
            for name, (ids, shares) in found.items()
        }


def _rarity(bags: Iterable[Counter[str]]) -> dict[str, float]:
    """Return how telling each feature is: the fewer groups have it, and the more a group insists on it, the more."""
    groups = list(bags)
    found: Counter[str] = Counter()
    for bag in groups:
        found.update(bag.keys())
    return {name: math.log(1 + len(groups) / (count + 0.5)) for name, count in found.items()}
