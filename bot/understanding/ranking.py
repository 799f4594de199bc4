"""Ranks what a question may mean: candidates from inverted indexes, then rapidfuzz on the few that remain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from bot.catalogue import Knowledge
from bot.understanding.certainty import Evidence
from bot.understanding.emergency import ALWAYS
from bot.understanding.features import Cutter
from bot.understanding.forms import Forms
from bot.understanding.index import Bag, Floats, Index, Ints, Weighted, bag_of, changed
from bot.understanding.opinion import NO_CLASS, Opinion
from bot.understanding.reader import UNSEEN

SERVICE_PART, MEASURE_PART = 0.5, 0.5
"""What the words of the whole service and of the whole measure add to an entry's own: people mix words across entries."""

LIKENESS_PART = 0.2
"""What being written nearly like one of the phrasings adds, for the few that remain."""

MAIN_PART = 0.03
"""What being a service's first entry adds: a question about nothing in particular is about the whole."""

NEAR = 0.85
"""An entry about the side asked for (材料, 金额, …) goes before another of its service from this part of its score on:
the words of that side are frames and weigh nothing themselves."""

ANY_ORDER = 0.97
"""What a likeness is worth when only the order of the words differs."""

FEW = 8
"""How many groups remain for rapidfuzz."""

DEEP = 32
"""How many groups a ranking has."""

LONG = 100
"""From this many characters on a question only gets longer: the fit has seen none beyond."""

DANGER_MEASURE = -2
"""Where dangers stand in place of a measure: they compete with questions only to be told from them."""

CHAT = "chit-chat"
"""The neighbour (id) that is talk with the bot: what reads like it is no question."""

PAIR_NAME = "b:"
"""What the names of features that are pairs of characters begin with."""

MOST_ODDS, FEW_PAIRS = 4.0, 8
"""No question reads more like ours than this (logarithm of odds), and one of fewer pairs is read as if it had so many."""

MOST_OPINION = 3.0
"""From this logarithm of odds on the second opinion is as sure as can be."""

NEIGHBOURS = "~"
"""What all neighbours together are called where the second opinion is formed."""

LEARNT = ("entry", "neighbour")
"""Whose wordings teach it."""

LOOK = 6
"""Among how many of the best groups the agreement on a measure is counted."""


@dataclass(frozen=True, slots=True)
class Group:
    """What can be found, with its texts in one form: an entry, a neighbour (measure 0), a guide (-1), a danger (-2).

    ``sorted_words`` are the phrasings again with their words in order of the alphabet: 仲裁怎么申请 asks what 怎么申请仲裁
    does. ``main`` says that it is the first entry of its service. ``aspects`` are the sides of
    the service that it is about, ``raw`` the texts as staff wrote them.
    """

    id: str
    kind: str
    service: str
    measures: tuple[int, ...]
    phrasings: tuple[str, ...]
    sorted_words: tuple[str, ...]
    main: bool
    aspects: tuple[str, ...]
    raw: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A question in its one form, cut once: its words, the content words, what tells (features), all features, its aspect.

    ``evenly`` are a story's features when none of its sentences counts more than another; None for what is no story.
    """

    text: str
    words: tuple[str, ...]
    content: tuple[str, ...]
    telling: tuple[str, ...]
    features: Mapping[str, float]
    aspect: str | None = None
    evenly: Mapping[str, float] | None = None

    @cached_property
    def sorted_words(self) -> str:
        """The words in order of the alphabet, joined with spaces."""
        return " ".join(sorted(self.words[:LONG]))


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a question finds: groups (numbers) best first, every group's score, and what speaks for the first.

    ``own`` is the share of the question that each group covers by itself; ``nearest`` the nearest phrasing of the few.
    ``danger`` is the same with the dangers let in, when one of them scored highest; None otherwise.
    """

    asked: Asked
    order: tuple[int, ...]
    scores: Floats
    own: Floats
    evidence: Evidence
    nearest: Mapping[int, str]
    danger: Ranking | None = None


class Ranker:
    """Indexes over the entries, services and measures of a knowledge base; built once, never changed."""

    def __init__(self, groups: Sequence[Group], names: dict[str, int], bags: Sequence[Bag]) -> None:
        """Take what can be found, every feature's number, and each group's bag of features in the groups' order."""
        self.groups = tuple(groups)
        self._service_of = _labels([group.service for group in groups])
        self._measure_of = _labels([group.measures[0] for group in groups])
        self.index = Index(names, bags, (self._service_of.tolist(), self._measure_of.tolist()))
        self._danger = np.array([group.measures[0] == DANGER_MEASURE for group in groups])
        is_pair = np.array([name.startswith(PAIR_NAME) for name in names], dtype=np.int32)
        self._ours, self._theirs = (self.index.totals(_of_kind(groups, kind)) * is_pair for kind in ("entry", "neighbour"))
        self._odds = _odds(self._ours, self._theirs)
        self._all_ours = not self._theirs.any()
        self._writer = _writers(groups)
        self._opinion = Opinion(bags, self._writer, len(names))
        self._elsewhere = _elsewhere(groups, self._writer)
        self._neighbours = np.array([n for n, group in enumerate(groups) if group.kind == "neighbour"], dtype=np.int64)

    def rank(self, asked: Asked) -> Ranking:
        """Return what a question finds, and whether it reads like a call for help."""
        weighted = self.index.weigh(asked.features)
        everything, own, measure = self._scored(weighted)
        scores = np.where(self._danger, np.float32(0), everything)
        found = self._ordered(asked, weighted, scores, own, measure)
        loudest = int(np.argmax(everything))
        if self.groups[loudest].kind != "emergency":
            return found
        return replace(found, danger=self._ordered(asked, weighted, everything, own, measure))

    def most(self, asked: Asked) -> float:
        """Return the highest score that any group but a danger has for a question: in a quarter of the time of its ranking."""
        everything, _, _ = self._scored(self.index.weigh(asked.features))
        return float(np.where(self._danger, np.float32(0), everything).max(initial=0))

    def _scored(self, weighted: Weighted) -> tuple[Floats, Floats, Floats]:
        """Return every group's score for a question, and what its own words and those of its measure cover of it."""
        own, services, measures = self.index.shares(weighted)
        service, measure = services[self._service_of], measures[self._measure_of]
        return own + SERVICE_PART * service + MEASURE_PART * measure, own, measure

    def _ordered(self, asked: Asked, weighted: Weighted, scores: Floats, own: Floats, measure: Floats) -> Ranking:
        order = _highest(scores, DEEP)
        likenesses = {n: self.likeness(asked, n) for n in order[:FEW]}
        few = sorted(order[:FEW], key=lambda n: -self._worth(n, scores, likenesses))
        order = [*self._aspect_first(asked, few, scores), *order[FEW:]]
        first = order[0]
        known, strange = self._coverage(asked, first)
        evidence = Evidence(
            share=float(own[first]),
            measure_share=float(measure[first]),
            lead=self._lead(order, scores),
            likeness=likenesses[first][1],
            known=known,
            strange=strange,
            length=math.log(1 + min(len(asked.text), LONG)),
            agreement=self._agreement(order),
            neighbour=self._neighbour(first, scores),
            ours=self._reads_like_ours(weighted),
            opinion=self._second_opinion(first, weighted),
        )
        nearest = {n: phrasing for n, (phrasing, _) in likenesses.items()}
        return Ranking(asked, tuple(order), scores, own, evidence, nearest)

    def evenly(self, asked: Asked) -> Ranking:
        """Return what a story finds when none of its sentences counts more than another."""
        return self.rank(replace(asked, features=asked.evenly or asked.features, evenly=None))

    def pairs(self) -> Counter[str]:
        """Return how many wordings of entries and neighbours have each pair of characters."""
        totals = (self._ours + self._theirs).tolist()
        named = zip(self.index.names, totals, strict=True)
        return Counter({name.removeprefix(PAIR_NAME): count for name, count in named if count})

    def likeness(self, asked: Asked, group: int) -> tuple[str, float]:
        """Return the group's phrasing nearest to a question, and how like it is, 0 to 1, whatever the words' order."""
        texts = self.groups[group]
        in_order = process.extractOne(asked.text[:LONG], texts.phrasings, scorer=fuzz.ratio)
        enough = min(100.0, in_order[1] / ANY_ORDER)
        any_order = process.extractOne(asked.sorted_words, texts.sorted_words, scorer=fuzz.ratio, score_cutoff=enough)
        if any_order is None:
            return in_order[0], in_order[1] / 100
        return texts.phrasings[any_order[2]], ANY_ORDER * any_order[1] / 100

    def _worth(self, group: int, scores: Floats, likenesses: dict[int, tuple[str, float]]) -> float:
        main = MAIN_PART if self.groups[group].main else 0.0
        return float(scores[group]) + LIKENESS_PART * likenesses[group][1] + main

    def _aspect_first(self, asked: Asked, few: Sequence[int], scores: Floats) -> list[int]:
        """Return the few with, of the first one's service, the entry about the side asked for in front, if it is near."""
        first = self.groups[few[0]]
        if asked.aspect is None or asked.aspect in first.aspects:
            return list(few)
        near = float(scores[few[0]]) * NEAR
        fitting = (
            n
            for n in few
            if self.groups[n].service == first.service and asked.aspect in self.groups[n].aspects and float(scores[n]) >= near
        )
        best = next(fitting, few[0])
        return [best, *(n for n in few if n != best)]

    def _lead(self, order: Sequence[int], scores: Floats) -> float:
        """Return how far the first is ahead of the best that would send the person elsewhere, as a part of its score."""
        best = float(scores[order[0]])
        first = self.groups[order[0]]
        rival = next((n for n in order if self.groups[n].measures[0] not in first.measures), None)
        if best <= 0:
            return 0.0
        return 1.0 if rival is None else (best - float(scores[rival])) / best

    def _agreement(self, order: Sequence[int]) -> float:
        """Return the part of the first six groups that belong to the first one's measures."""
        first = self.groups[order[0]]
        return sum(self.groups[n].measures[0] in first.measures for n in order[:LOOK]) / LOOK

    def _neighbour(self, first: int, scores: Floats) -> float:
        """Return the best neighbour's score as a part of the first group's."""
        best = float(scores[first])
        return min(1.0, float(scores[self._neighbours].max()) / best) if best > 0 and len(self._neighbours) else 0.0

    def _reads_like_ours(self, weighted: Weighted) -> float:
        """Return how much the pairs of characters are those of entries rather than of neighbours, -MOST_ODDS to MOST_ODDS.

        Where there are no neighbours all is ours.
        """
        if self._all_ours:
            return MOST_ODDS
        odds = self._odds[weighted.features]
        pairs = max(FEW_PAIRS, int(np.count_nonzero(odds)))
        return max(-MOST_ODDS, min(MOST_ODDS, float(odds.sum()) / math.sqrt(pairs)))

    def _second_opinion(self, first: int, weighted: Weighted) -> float:
        """Return how much rather a service of the first group's measures would have been asked so than any other."""
        writer, elsewhere = self._writer[first], self._elsewhere[first]
        if writer == NO_CLASS or not elsewhere.any():
            return 0.0
        odds = self._opinion.odds(weighted)
        return max(-MOST_OPINION, min(MOST_OPINION, float(odds[writer] - odds[elsewhere].max())))

    def _coverage(self, asked: Asked, group: int) -> tuple[float, float]:
        """Return the part of what the question is about that the group has, and the part that no group has, by weight."""
        weights = {name: self.index.rarity(name) for name in asked.telling}
        total = sum(weights.values())
        if not total:
            return 0.0, 1.0
        known = sum(weight for name, weight in weights.items() if self.index.has(group, name))
        strange = sum(weight for name, weight in weights.items() if not self.index.knows(name))
        return known / total, strange / total


@dataclass(frozen=True, slots=True)
class Former:
    """What was made before: a ranker, the cutter that cut for it, and the words that today's cutter knows otherwise.

    ``relisted`` is None when no list has changed.
    """

    ranker: Ranker
    cutter: Cutter
    relisted: Set[str] | None = None


def make_ranker(knowledge: Knowledge, forms: Forms, cutter: Cutter, former: Former | None) -> Ranker:
    """Return a ranker for a knowledge base; what ``former`` has unchanged is taken over."""
    old = {group.id: (group, former.ranker.index.bag(n)) for n, group in enumerate(former.ranker.groups)} if former else {}
    names = dict(former.ranker.index.names) if former else {}
    groups: list[Group] = []
    bags: list[Bag] = []
    for name, kind, service, measures, main, aspects, raw in _plans(knowledge):
        known, bag = old.get(name, (None, None))
        if former is not None and known is not None and bag is not None and former.relisted is None and known.raw == raw:
            groups.append(replace(known, kind=kind, service=service, measures=measures, main=main, aspects=aspects))
            bags.append(bag)
            continue
        phrasings = tuple(dict.fromkeys(filter(None, (forms(text).standard for text in raw))))
        as_before = _as_before(known, former.relisted or frozenset()) if known and former else {}
        cut = [as_before.get(form) or cutter.words(form) for form in phrasings]
        words = tuple(" ".join(sorted(one)) for one in cut)
        groups.append(Group(name, kind, service, measures, phrasings, words, main, aspects, raw))
        new = bag_of((cutter.features(f, w) for f, w in zip(phrasings, cut, strict=True) if f not in as_before), names)
        if former is not None and known is not None and bag is not None:
            pairs = zip(known.phrasings, known.sorted_words, strict=True)
            kept = as_before.keys() & set(phrasings)
            gone = bag_of((former.cutter.features(f, w.split()) for f, w in pairs if f not in kept), names)
            new = changed(bag, new, gone)
        bags.append(new)
    untouched = former is not None and tuple(groups) == former.ranker.groups
    if former is not None and untouched and all(bag is former.ranker.index.bag(n) for n, bag in enumerate(bags)):
        return former.ranker
    return Ranker(groups, names, bags)


Plan = tuple[str, str, str, tuple[int, ...], bool, tuple[str, ...], tuple[str, ...]]
"""A group before its texts are worked on: id, kind, service, measures, main, aspects, raw texts."""


def _plans(knowledge: Knowledge) -> Iterator[Plan]:
    mains = {service.entries[0] for service in knowledge.services.values()}
    for e in knowledge.entries.values():
        texts = (e.question, *e.phrasings, e.answer.short)
        yield e.id, "entry", e.service, e.measures, e.id in mains, e.aspects, texts
    for n in knowledge.neighbours.values():
        yield n.id, "neighbour", f"~{n.id}", (0,), False, (), (n.name, *n.phrasings)
    for r in knowledge.emergencies:
        if r.examples:
            yield r.id, "calm" if r.id == ALWAYS else "emergency", f"!{r.id}", (DANGER_MEASURE,), False, (), r.examples
    for g in knowledge.guides.values():
        if g.triggers:
            yield g.id, "guide", f"?{g.id}", (-1,), False, (), g.triggers


def _as_before(group: Group, relisted: Set[str]) -> dict[str, list[str]]:
    """Return the words (in any order) of those of a group's texts that have none of the words that are listed otherwise."""
    pairs = zip(group.phrasings, group.sorted_words, strict=True)
    return {form: words.split() for form, words in pairs if not any(word in form for word in relisted)}


def _of_kind(groups: Sequence[Group], kind: str) -> list[int]:
    return [n for n, group in enumerate(groups) if group.kind == kind and group.id != CHAT]


def _odds(ours: Ints, theirs: Ints) -> Floats:
    """Return what each pair of characters speaks for an entry and against a neighbour (naive Bayes, logarithm)."""
    times = max(1, int(ours.sum())) / max(1, int(theirs.sum()))  # the larger side has everything oftener
    odds = np.log((ours + UNSEEN * max(1, times)) / (theirs + UNSEEN * max(1, 1 / times)) / times)
    return np.where(ours + theirs > 0, odds, 0).astype(np.float32)


def _highest(scores: Floats, most: int) -> list[int]:
    """Return the places of the highest scores, highest first; of equal ones the earlier first."""
    some = np.sort(np.argpartition(-scores, most)[:most]) if len(scores) > most else np.arange(len(scores))
    return some[np.argsort(-scores[some], kind="stable")].tolist()  # type: ignore[no-any-return]


def _writers(groups: Sequence[Group]) -> list[int]:
    """Return the class of each group for the second opinion: its service, all neighbours one, NO_CLASS for the others."""
    names = [NEIGHBOURS if group.kind == "neighbour" else group.service for group in groups]
    taught = dict.fromkeys(name for name, group in zip(names, groups, strict=True) if group.kind in LEARNT)
    numbers = {name: number for number, name in enumerate(taught)}
    return [numbers.get(name, NO_CLASS) for name in names]


def _elsewhere(groups: Sequence[Group], writers: Sequence[int]) -> list[npt.NDArray[np.bool_]]:
    """Return for each group which writers send a person elsewhere: none of whose entries is about the group's measures."""
    about = [set[int]() for _ in range(max(writers, default=NO_CLASS) + 1)]
    for group, writer in zip(groups, writers, strict=True):
        if writer != NO_CLASS:
            about[writer].add(group.measures[0])
    by_measures = {group.measures: np.array([own.isdisjoint(group.measures) for own in about]) for group in groups}
    return [by_measures[group.measures] for group in groups]


def _labels(names: Sequence[object]) -> npt.NDArray[np.int64]:
    """Return names as numbers, in order of first appearance."""
    places = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([places[name] for name in names])
