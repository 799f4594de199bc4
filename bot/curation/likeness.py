"""Finds, of many short texts, those that are written alike without comparing each with each; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

BLOCK = 64
"""How many texts are compared with all others at a time: 64 x 20,000 signs are 20 MB."""

SIGNED_FROM = 75.0
"""Texts need not be as like as this to have few pairs of characters in common: then signs rule out too little."""

MANY = 200
"""Fewer texts than this are compared with all others sooner than signs are made of all."""

Signs = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


def alike(some: Sequence[str], everything: Sequence[str], least: float) -> Iterator[tuple[int, int, float]]:
    """Yield place in ``some``, place in ``everything`` and likeness (rapidfuzz ratio, 0 to 100) of what is so like.

    With the same object given twice each pair comes once, the earlier text first.
    """
    twice = some is everything
    many = len(some) >= MANY and least >= SIGNED_FROM
    signs, all_signs = (_signs(some), _signs(everything)) if many else (None, None)
    lengths, all_lengths = _lengths(some), _lengths(everything)
    for start in range(0, len(some), BLOCK):
        stop, first = min(start + BLOCK, len(some)), start if twice else 0
        rows, columns = slice(start, stop), slice(first, None)
        if signs is None or all_signs is None:
            found = process.cdist(some[rows], everything[columns], scorer=fuzz.ratio, score_cutoff=least)
            i, j = np.nonzero(found)
            likenesses = found[i, j]
        else:
            i, j = _possible(signs[rows], lengths[rows], all_signs[columns], all_lengths[columns], least)
            pairs = [some[start + n] for n in i.tolist()], [everything[first + n] for n in j.tolist()]
            likenesses = process.cpdist(*pairs, scorer=fuzz.ratio, score_cutoff=least)
        for row, column, likeness in zip((i + start).tolist(), (j + first).tolist(), likenesses.tolist(), strict=True):
            if likeness and not (twice and column <= row):
                yield row, column, likeness


def _signs(texts: Sequence[str]) -> Signs:
    """Return for each text a set of 128: one sign for each pair of neighbouring characters, by its hash."""
    signs = np.zeros((len(texts), 2), dtype=np.uint64)
    for number, text in enumerate(texts):
        halves = [0, 0]
        for left, right in pairwise(text):
            sign = hash(left + right)
            halves[sign >> 6 & 1] |= 1 << (sign & 63)
        signs[number] = halves
    return signs


def _lengths(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    return np.array([len(text) for text in texts], dtype=np.float32)


def _possible(
    signs: Signs,
    lengths: npt.NDArray[np.float32],
    others: Signs,
    other_lengths: npt.NDArray[np.float32],
    least: float,
) -> tuple[Places, Places]:
    """Return the places of the pairs that may be so like each other: all that are, and few more.

    To be so like, a text must become the other by at most d = (1 - least) x (both lengths) characters taken out or put in.
    One taken out loses at most two pairs of neighbours, one put in splits one: at most 1.5 d + (own - other's length) / 2
    of its own pairs, and so of its signs, are missing in the other. The same holds the other way round.
    """
    part = np.float32(1 - least / 100)
    near, far = np.float32(1.5) * part + np.float32(0.5), np.float32(1.5) * part - np.float32(0.5)
    missing = np.bitwise_count(signs[:, None, 0] & ~others[None, :, 0])
    missing += np.bitwise_count(signs[:, None, 1] & ~others[None, :, 1])
    i, j = np.nonzero(missing <= near * lengths[:, None] + far * other_lengths[None, :])
    own, other = lengths[i], other_lengths[j]
    back = np.bitwise_count(others[j] & ~signs[i]).sum(axis=1)
    kept = (back <= near * other + far * own) & (np.abs(own - other) <= part * (own + other))
    return i[kept], j[kept]
