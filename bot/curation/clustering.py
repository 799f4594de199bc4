"""Gathers questions that mean much the same, by the telling pairs of characters that they share; pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz

from bot.understanding.text import compact

ALIKE = 0.32
"""From this share of the telling pairs in common on two questions are one."""

NEARLY_SAME = 80.0
"""From this rapidfuzz ratio on two questions are one, whatever their pairs."""

TELLING = 6
"""By how many of its most telling pairs a question looks for a cluster to join."""

CROWD = 200
"""At most so many clusters are looked at for one pair: a pair that more have tells little."""

Pairs = dict[str, float]


def cluster(counts: Mapping[str, int]) -> list[list[str]]:
    """Return the questions in clusters, the biggest (by count) first; in each the most frequent question first.

    Each question joins the cluster whose first question it is most like, or begins one; the most frequent begin.
    """
    order = sorted(counts, key=lambda question: (-counts[question], len(question), question))
    forms = {question: compact(question.lower()) for question in order}
    rarity = _rarity(forms.values())
    weighed = {question: _weighed(form, rarity) for question, form in forms.items()}
    clusters: dict[str, list[str]] = {}
    leaders: defaultdict[str, list[str]] = defaultdict(list)
    for question in order:
        leader = _leader(question, forms, weighed, leaders)
        clusters.setdefault(leader, []).append(question)
        if leader == question:
            for pair in weighed[question]:
                leaders[pair].append(question)
    sizes = {leader: sum(counts[member] for member in members) for leader, members in clusters.items()}
    return [clusters[leader] for leader in sorted(clusters, key=lambda leader: (-sizes[leader], leader))]


def _rarity(forms: Iterable[str]) -> Pairs:
    found: Counter[str] = Counter()
    number = 0
    for form in forms:
        number += 1
        found.update(_pairs(form))
    return {pair: math.log(1 + number / count) for pair, count in found.items()}


def _pairs(form: str) -> set[str]:
    return {form[n : n + 2] for n in range(len(form) - 1)} or {form}


def _weighed(form: str, rarity: Pairs) -> Pairs:
    """Return a question's pairs with how telling each is, the most telling first."""
    pairs = sorted(_pairs(form), key=lambda pair: (-rarity[pair], pair))
    return {pair: rarity[pair] for pair in pairs}


def _leader(question: str, forms: Mapping[str, str], weighed: Mapping[str, Pairs], leaders: Mapping[str, list[str]]) -> str:
    """Return the first question of the cluster that a question belongs to; itself when there is none."""
    mine = weighed[question]
    candidates = {one for pair in list(mine)[:TELLING] for one in leaders.get(pair, ())[:CROWD]}
    best, most = question, ALIKE
    for candidate in candidates:
        likeness = _likeness(mine, weighed[candidate])
        if likeness > most or (likeness == most and candidate < best):
            best, most = candidate, likeness
    if best == question:
        near = (one for one in sorted(candidates) if fuzz.ratio(forms[question], forms[one]) >= NEARLY_SAME)
        return next(near, question)
    return best


def _likeness(mine: Pairs, theirs: Pairs) -> float:
    """Return the shared weight as a part of the smaller question's and the bigger one's together (cosine-like), 0 to 1."""
    shared = sum(weight for pair, weight in mine.items() if pair in theirs)
    return shared / math.sqrt(sum(mine.values()) * sum(theirs.values()))
