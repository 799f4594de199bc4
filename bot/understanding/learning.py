"""Learns to tell two sides of texts apart by their features: logistic regression by AdaGrad (Duchi et al. 2011); pure.

The same examples in the same order always give the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROUNDS = 8
"""How often all examples are gone through."""

BATCH = 512
"""How many examples make one step."""

RATE, PULL = 0.7, 0.001
"""The step's length, and how much a weight is pulled back to zero."""

START = 1e-8
"""What the sum of squared gradients begins with, so that nothing is divided by zero."""

SHORT = 14
"""A text with fewer features than this is read as if it had so many: a word or two say little."""

LEAST = 0.3
"""A weight smaller than this is left out: it decides nothing and costs memory."""

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Separator:
    """Says on which side a text is: by what weight its features have, and what is said of a text without any."""

    weights: Mapping[str, float]
    bias: float

    def odds(self, names: Collection[str]) -> float:
        """Return the logarithm of the odds that a text, given as its features, is of the first side."""
        return self.bias + sum(self.weights.get(name, 0.0) for name in names) / math.sqrt(max(SHORT, len(names)))


def learn(side: Sequence[Collection[str]], others: Sequence[Collection[str]]) -> Separator:
    """Return what tells the texts of one side from the others, each given as its features, none of them empty."""
    names: dict[str, int] = {}
    texts = (*side, *others)
    features = np.array([names.setdefault(name, len(names)) for text in texts for name in text], dtype=np.int64)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    truth = np.concatenate([np.ones(len(side)), np.zeros(len(others))])
    weights, squares = np.zeros(len(names)), np.full(len(names), START)
    bias, bias_squares = 0.0, START
    for rows in _batches(len(texts)):
        places, row, value = _places(starts[rows], lengths[rows])
        found = features[places]
        said = np.bincount(row, weights[found] * value, len(rows)) + bias
        error = 1 / (1 + np.exp(-said)) - truth[rows]
        touched, place = np.unique(found, return_inverse=True)
        gradient = np.bincount(place, error[row] * value) + PULL * weights[touched]
        squares[touched] += gradient**2
        weights[touched] -= RATE * gradient / np.sqrt(squares[touched])
        bias_squares += float(error.sum()) ** 2
        bias -= RATE * float(error.sum()) / math.sqrt(bias_squares)
    kept = {name: weight for name, weight in zip(names, weights.tolist(), strict=True) if abs(weight) >= LEAST}
    return Separator(kept, bias)


def _batches(count: int) -> Iterator[Numbers]:
    """Yield the numbers of all examples in ever new order, a batch at a time."""
    chance = np.random.default_rng(0)
    for _ in range(ROUNDS):
        order = chance.permutation(count)
        yield from (order[start : start + BATCH] for start in range(0, count, BATCH))


def _places(starts: Numbers, lengths: Numbers) -> tuple[Numbers, Numbers, Floats]:
    """Return where the features of some examples stand, which of them has each, and what it counts."""
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
    values = 1 / np.sqrt(np.maximum(SHORT, lengths))
    return places, np.repeat(np.arange(len(lengths)), lengths), np.repeat(values, lengths)
