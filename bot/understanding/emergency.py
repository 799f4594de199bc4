"""Recognises someone in danger now, from the signs and examples that staff keep in ``knowledge/emergencies.md``; pure.

A message is danger when a sign holds that no talk takes back (``！``), when it has a sign and does not read like ordinary
talk, or when it reads like danger by itself. How it reads is learnt from the ``说法``: those of the dangers against those
of ``not-now`` and what people ordinarily write, by their characters and pairs of characters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from bot.catalogue import EmergencyRule
from bot.understanding.learning import Separator, learn
from bot.understanding.reader import Reader, make_reader
from bot.understanding.text import Normaliser, by_start, compact, starting

ALWAYS = "not-now"
"""The id of the section of what is no danger: its ``除非`` take back every kind (the past, a supposition, a claim), its
``标志`` are words that say that it happens now, its ``说法`` are ordinary talk."""

SURE = "！"
"""Before a sign: nothing takes it back but an ``除非`` of its own kind."""

CALM = -0.9
"""Below this a message reads like ordinary talk: then a sign in it is chance."""

LOUD = -0.1
"""From this on a message reads like danger without any sign."""

CERTAIN = 0.9
"""From this on it does so whatever else it tells of: the past, a claim."""

SPAN, STEP = 18, 3
"""How many characters of a story are read at a time, and how far on the next reading begins."""

LOUD_SPAN = 1.2
"""From this on a part of a story is danger, whatever the rest says."""

ENOUGH = 100
"""How many examples of each side the reading needs; with fewer only signs count."""

OTHER = re.compile(r"[^一-龥^$]|\^\$")
"""What no feature holds: letters and figures say nothing about danger."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What tells of something: it needs a word of each group in ``present`` and none of ``absent``."""

    present: tuple[frozenset[str], ...]
    absent: frozenset[str]
    sure: bool

    def holds(self, words: frozenset[str]) -> bool:
        """Return whether it is there, given all the words of signs that a text has."""
        return self.absent.isdisjoint(words) and not any(group.isdisjoint(words) for group in self.present)


class Signs:
    """Some signs as staff wrote them, in groups: ``撞/碰``, ``-机器人/游戏`` for what must not be there, ``！`` in front."""

    def __init__(self, written: Iterable[tuple[str, ...]]) -> None:
        self.all = tuple(_sign([group.lstrip(SURE) for group in groups], groups[0].startswith(SURE)) for groups in written)
        self._needed = frozenset(word for sign in self.all for group in sign.present[:1] for word in group)

    def held(self, words: frozenset[str]) -> list[Sign]:
        """Return the signs that are there, given all the words of signs that a text has."""
        return [] if self._needed.isdisjoint(words) else [sign for sign in self.all if sign.holds(words)]


class Vocabulary:
    """All words of some signs, to find those in a text in one pass."""

    def __init__(self, signs: Iterable[Sign]) -> None:
        self._by_start = by_start({word for sign in signs for group in (*sign.present, sign.absent) for word in group})

    def words_in(self, text: str) -> frozenset[str]:
        """Return the words that a text has anywhere, one inside another too."""
        return frozenset(
            word for position, words in starting(self._by_start, text) for word in words if text.startswith(word, position)
        )


@dataclass(frozen=True, slots=True)
class Hearing:
    """How danger reads: ``danger`` tells it from what people ordinarily write, ``kinds`` which danger it is."""

    danger: Separator
    kinds: Reader


class Lookout:
    """Looks out for people in danger, from the kinds of danger that staff wrote down; made once, safe to share."""

    def __init__(self, rules: Sequence[EmergencyRule], hearing: Hearing | None) -> None:
        """Take the kinds of danger, and how they read; without that only signs count."""
        always = next((rule for rule in rules if rule.id == ALWAYS), None)
        self._kinds = {rule.id: Signs(rule.signs) for rule in rules if rule.id != ALWAYS}
        self._unless = {rule.id: Signs(rule.unless) for rule in rules if rule.id != ALWAYS}
        self._past, self._now = Signs(always.unless if always else ()), Signs(always.signs if always else ())
        every = (self._past, self._now, *self._kinds.values(), *self._unless.values())
        self._vocabulary = Vocabulary(sign for signs in every for sign in signs.all)
        self._hearing = hearing

    def spot(self, text: str, likely: str | None = None) -> str | None:
        """Return the kind of danger (id) that a text (compact, simplified) tells of, or None.

        ``likely`` (id) is what the finder takes it for: as good as a sign.
        """
        words = self._vocabulary.words_in(text)
        told = [kind for kind in self._kinds if not self._unless[kind].held(words)]
        signed = [(kind, sign.sure) for kind in told for sign in self._kinds[kind].held(words)]
        past = bool(self._past.held(words))
        sure = [kind for kind, certain in signed if certain]
        hints = [kind for kind, _ in signed] or [kind for kind in told if kind == likely]
        hearing = self._hearing
        if hearing is None:
            return next(iter(sure if past else hints), None)
        names = features(text)
        odds = hearing.danger.odds(names)
        if not past and hints and odds >= CALM:
            likeliest = hints
        elif sure:
            likeliest = sure
        elif odds >= (CERTAIN if past else LOUD):
            likeliest = hints or told
        elif loud := self._loud_part(hearing.danger, text):
            likeliest, names = hints or told, loud  # the rest of the story says nothing of what happens now
        else:
            return None
        return max(likeliest, key=lambda kind: hearing.kinds.nearness(names, kind), default=None)

    def _loud_part(self, danger: Separator, text: str) -> dict[str, None]:
        """Return the features of the first part of a story that is danger that happens now, none when there is none."""
        for start in range(0, max(1, len(text) - SPAN + STEP), STEP):
            part = text[start : start + SPAN]
            words = self._vocabulary.words_in(part)
            if not self._now.held(words) or self._past.held(words):
                continue
            names = features(part)
            if danger.odds(names) >= LOUD_SPAN:
                return names
        return {}


def make_hearing(rules: Iterable[EmergencyRule], ordinary: Iterable[str]) -> Hearing | None:
    """Return how dangers read, learnt from their examples and from what people ordinarily write (compact, simplified).

    None when there are too few examples to learn from.
    """
    plain = Normaliser({})
    texts = {rule.id: [features(compact(plain(text).plain)) for text in rule.examples] for rule in rules}
    calm = texts.pop(ALWAYS, [])
    if min(len(calm), sum(map(len, texts.values()))) < ENOUGH:
        return None
    others = [names for names in (*calm, *map(features, ordinary)) if names]
    kinds = {kind: Counter(chain.from_iterable(wordings)) for kind, wordings in texts.items()}
    return Hearing(
        learn([names for wordings in texts.values() for names in wordings if names], others),
        make_reader(kinds, Counter(chain.from_iterable(calm))),
    )


def features(text: str) -> dict[str, None]:
    """Return the Chinese characters of a text and their pairs, with its beginning and its end, each once."""
    whole = f"^{text}$"
    return {name: None for name in (*(a + b for a, b in pairwise(whole)), *text) if not OTHER.search(name)}


def _sign(groups: Sequence[str], sure: bool) -> Sign:
    present = tuple(frozenset(group.split("/")) for group in groups if not group.startswith("-"))
    absent = frozenset(word for group in groups if group.startswith("-") for word in group[1:].split("/"))
    return Sign(present, absent, sure)
