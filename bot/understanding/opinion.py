"""A second opinion on what a question is about: which service's wordings read like it (multinomial naive Bayes); pure.

The index asks how much of a question a group of texts covers; this asks who would have written it. They err in different
places: where both agree hardly anything is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.understanding.index import Bag, Floats, Ints, Weighted, merged

UNSEEN = 0.1
"""What a feature counts that a class has never used."""

NO_CLASS = -1


class Opinion:
    """How likely each class of groups is to have written a question; built once, never changed, safe to share."""

    def __init__(self, bags: Sequence[Bag], classes: Sequence[int], features: int) -> None:
        """Take each group's bag of features, its class (0, 1, … or NO_CLASS, for what is not learnt from), and how many
        features there are."""
        taught = [(bag, label) for bag, label in zip(bags, classes, strict=True) if label != NO_CLASS]
        lengths = [len(bag[0]) for bag, _ in taught]
        numbers, counts = (np.concatenate([bag[part] for bag, _ in taught] or [np.zeros(0, np.int32)]) for part in (0, 1))
        labels = np.array([label for _, label in taught], dtype=np.int64)
        owners = np.repeat(np.arange(len(taught), dtype=np.int32), lengths)
        found, writers, times, self._size = merged(numbers, owners, counts, labels, features)
        order = np.argsort(found, kind="stable")
        having = np.bincount(found, minlength=features)
        self._lengths: Ints = having.astype(np.int32)
        self._starts: Ints = (np.cumsum(having) - having).astype(np.int32)
        self._writers = writers[order].astype(np.int16)
        self._logs: Floats = np.log1p(times[order] / UNSEEN).astype(np.float32)
        totals = np.bincount(writers, times, self._size) + UNSEEN * np.count_nonzero(having)
        self._never: Floats = np.log(UNSEEN / totals).astype(np.float32)

    def odds(self, asked: Weighted) -> Floats:
        """Return the logarithm of each class's probability, all equal when the question has no known feature.

        Rare features are not weighted up here, and all together count as one: a long story is no surer than a short question.
        """
        lengths = self._lengths[asked.features]
        known = lengths > 0  # what nobody has written says nothing, whether its name is in use or was in an earlier version
        lengths, starts, values = lengths[known], self._starts[asked.features[known]], np.sqrt(asked.counts[known])
        values /= max(1e-6, float(np.sqrt(values @ values)))
        said = self._never * values.sum()
        if len(lengths):
            ends = np.cumsum(lengths)
            places = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
            said = said + np.bincount(self._writers[places], self._logs[places] * np.repeat(values, lengths), self._size)
        above: Floats = (said - said.max(initial=-np.inf)).astype(np.float32)
        odds: Floats = above - np.log(np.exp(above).sum(dtype=np.float32))
        return odds
