"""Finds the entries that a question may mean, and how sure that is.

The stages: one form (``text.py``) -> features (``features.py``), those of a story's ask counting more (``asking.py``) ->
candidates and their rank (``index.py``, ``ranking.py``) -> how sure (``opinion.py``, ``certainty.py``) -> mistyped words heard
again by their sound (``sounds.py``), when that makes the finder surer -> an outcome, here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from rapidfuzz import fuzz

from bot.catalogue import EmergencyRule, Knowledge, Words
from bot.files import alone
from bot.model import Findings, Match, Outcome, Why
from bot.understanding.asking import ask_of
from bot.understanding.aspects import aspect_of
from bot.understanding.caches import hearing_cache, index_cache
from bot.understanding.certainty import ASK, SURE, Evidence, chance
from bot.understanding.emergency import Hearing, Lookout, make_hearing
from bot.understanding.features import Cutter, pairs_of
from bot.understanding.forms import Forms
from bot.understanding.ranking import FEW, Asked, Former, Group, Ranking, make_ranker
from bot.understanding.smalltalk import OUTRIGHT, RATHER, TALKING, Talks, spoken_pairs
from bot.understanding.sounds import Ear
from bot.understanding.text import Normaliser, Text, compact

HEARD_GAIN = 1.15
"""How much better a question must be covered with its mistyped words corrected before the correction is believed."""

LONGEST_HEARD = 200
"""In a text longer than this one mistyped word decides nothing."""

CLEAR = 0.9
"""From this chance on the words of the language in a question are those that were meant; what is no word is still heard."""

HEARD_PART = 0.8
"""What part of a question may be mistyped: a text that is nothing but mistakes is no question."""

NEIGHBOUR_KNOWN = 0.3
"""How much of a question's content a neighbour must know before people are sent there."""

DANGER = 0.6
"""From this chance on a message that reads like those of people in danger is one, whatever signs it lacks."""

LEARNING_SECONDS = 5.0
"""How long a worker waits for another one to learn how danger reads."""

EVERY_ORDINARY = 4
"""Of the texts about other things every so many-th is learnt from: more take longer and teach no more."""

ASK_TIMES = 2.5
"""What a word in the sentence that asks counts more than one in the rest of a story."""

EXACT = 0.99
"""The score of a wording that staff wrote down themselves."""

SAME_SENTENCE = 92.0
"""From this rapidfuzz ratio on, negations left out, two sentences are the same: then a 不 turns the meaning round."""

UNEXPLAINED = Why("", (), ())

LEAST_SAID = 4
"""In how many phrasings a word must stand before mistyped words are heard as it."""

WITHIN = 5
"""How many entries of what the talk is about are handed on."""

EXACT_KINDS = ("entry", "neighbour", "guide")
"""Whose wordings are recognised whole; dangers have their own way."""

NEGATIONS = "不没未别无"
DROP = str.maketrans("", "", NEGATIONS + " ,?!")
ASKING_END = re.compile(r"[不没](?:[啊呀呢吗]|有)?[ ?!]*$")
HARMLESS_NEGATION = (
    "是不是",
    "有没有",
    "能不能",
    "可不可以",
    "要不要",
    "会不会",
    "算不算",
    "不知道",
    "不好意思",
    "需不需要",
)


class Finder:
    """Built once from a knowledge base; safe to share between threads."""

    def __init__(self, knowledge: Knowledge, folder: Path, former: Finder | None = None) -> None:
        """Take what there is to find.

        ``folder`` is a private place for the tokenizer's cache and the index's; ``former`` a finder for an earlier version
        of the knowledge base, whose work on unchanged texts is taken over: the result is the same. A finder that has a
        former one is not kept on disk before ``keep`` is called: it may be of a draft.
        """
        words = knowledge.words
        self._words = words
        self._folder = folder
        if former is None:
            self._normaliser = Normaliser(words.replace)
            self._forms = Forms(self._normaliser)
            self._cutter = Cutter(words.known, words.frames, folder)
            known = index_cache(folder, _lists(words)).read()
            self._ranker = make_ranker(knowledge, self._forms, self._cutter, Former(known, self._cutter) if known else None)
            if self._ranker is not known:
                index_cache(folder, _lists(words)).write(self._ranker)
        elif _lists(former._words) == _lists(words):
            self._normaliser, self._forms, self._cutter = former._normaliser, former._forms, former._cutter
            self._ranker = make_ranker(knowledge, self._forms, self._cutter, Former(former._ranker, self._cutter))
        else:
            self._normaliser = Normaliser(words.replace)
            self._forms = Forms(self._normaliser, former._forms)
            self._cutter = former._cutter.relisted(words.known, words.frames)
            relisted = {*words.known} ^ {*former._words.known} | {*words.frames} ^ {*former._words.frames}
            before = Former(former._ranker, former._cutter, relisted)
            self._ranker = make_ranker(knowledge, self._forms, self._cutter, before)
        groups = self._ranker.groups
        self._exact = {
            compact(text): n for n, group in enumerate(groups) for text in group.phrasings if group.kind in EXACT_KINDS
        }
        self._place = {group.id: n for n, group in enumerate(groups)}
        self._service: dict[str, list[int]] = {}
        for n, group in enumerate(groups):
            self._service.setdefault(group.service, []).append(n)
        self._broad = {compact(self._normaliser(word).standard) for word in words.broad}
        self._dangers: tuple[EmergencyRule, ...] = knowledge.emergencies
        self._said = knowledge.smalltalk
        if former is not None and former._normaliser is self._normaliser and former._said == self._said:
            self._spoken: dict[str, Counter[str]] = former._spoken
        else:
            self._spoken = spoken_pairs(self._said.values(), lambda text: pairs_of(self._normaliser.standard(text)))
        self.talks = Talks(self._said.values(), words.fillers, self._spoken, self._ranker.pairs())
        if former is not None and former._dangers == self._dangers:
            self.lookout: Lookout = former.lookout
        else:
            self.lookout = Lookout(self._dangers, self._hearing(knowledge))
        self._ear = Ear(_spoken_words(groups, self._cutter), words.frames)

    def _hearing(self, knowledge: Knowledge) -> Hearing | None:
        """Return how danger reads; of several workers one learns it, and the others wait for that."""
        cache = hearing_cache(self._folder, self._dangers)
        known = cache.read()
        if known is not None:
            return known
        with ExitStack() as held:
            with suppress(OSError):  # a full disk: then each learns for itself (a TimeoutError is an OSError, too)
                held.enter_context(alone(self._folder / "learning.lock", LEARNING_SECONDS))
            known = cache.read() or make_hearing(self._dangers, self._ordinary(knowledge))
            if known is not None:
                cache.write(known)
        return known

    def _ordinary(self, knowledge: Knowledge) -> Iterator[str]:
        """Yield a part of what people write who are in no danger."""
        asked = (text for group in self._ranker.groups if group.kind in ("entry", "neighbour") for text in group.raw)
        said = (sentence for talk in knowledge.smalltalk.values() for sentence in sorted(talk.exact))
        for text in islice(chain(asked, said), 0, None, EVERY_ORDINARY):
            yield compact(self._normaliser(text).plain)

    def keep(self) -> None:
        """Keep on disk what was worked out, for the next start, where nothing is that was read by the same word lists."""
        cache = index_cache(self._folder, _lists(self._words))
        if not cache.exists():
            cache.write(self._ranker)

    def read(self, raw: str) -> Text:
        """Return a text that staff wrote in its one form; it is remembered."""
        return self._forms(raw)

    def differing(self, former: Finder) -> frozenset[str]:
        """Return the words (simplified) that a former finder reads otherwise."""
        return self._normaliser.differing(former._normaliser)

    def find(self, raw: str, recent: Sequence[str] = (), measures: Sequence[int] = ()) -> Findings:
        """Return what a message may mean, in the light of the talk so far.

        ``recent`` are the entries just shown (ids), the newest first; ``measures`` those that the open choices lead to.
        """
        text = self._normaliser(raw)
        whole = compact(text.standard)
        if not whole:
            return Findings(text.plain, text.standard, "nothing", talk=self.talks.of(compact(raw.lower())))
        exact = self._exact.get(whole)
        ranking, corrected = self._heard(self._ranker.rank(self._ask(text.standard)))
        found = self._exactly(exact, ranking) if exact is not None else self._outcome(ranking)
        plain = compact(text.plain)
        on_topic = recent or measures or not self._broad.isdisjoint(ranking.asked.content)
        least = OUTRIGHT if on_topic else _least_talk(found)
        like_talk = None if exact is not None else self._like_talk(text.standard, least)
        return replace(
            found,
            outcome="unsure" if found.outcome == "sure" and like_talk else found.outcome,
            plain=text.plain,
            # Only small talk listed as a whole (去死吧) is no danger: 拜拜了，我去死了 must not drown in its 拜拜.
            danger=None if self.talks.listed(plain) else self.lookout.spot(plain, found.danger),
            within=self._within(ranking, recent, measures),
            broad=whole in self._broad,
            exact=exact is not None and self._ranker.groups[exact].kind == "entry",
            content=ranking.asked.content,
            talk=self.talks.of(plain),
            like_talk=like_talk,
            corrected=corrected if exact is None else None,
        )

    def _like_talk(self, standard: str, least: float) -> str | None:
        """Return the small talk (id) that a text reads at least so much like."""
        pairs = pairs_of(standard)
        return self.talks.nearest(pairs) if self.talks.loudness(pairs) >= least else None

    def explained(self, raw: str) -> Findings:
        """Return what a message may mean, each match with its why: for staff, in several times the time."""
        found = self.find(raw)
        asked = self._ask(self._normaliser(raw).standard)
        if found.corrected:
            asked = self._heard(self._ranker.rank(asked))[0].asked
        return replace(found, matches=tuple(replace(m, why=self._why(asked, self._place[m.entry])) for m in found.matches))

    def assess(self, raw: str) -> tuple[Evidence, str]:
        """Return, for fitting the certainty, what speaks for the first group of a question's ranking, and its id."""
        ranking, _ = self._heard(self._ranker.rank(self._ask(self._normaliser(raw).standard)))
        return ranking.evidence, self._ranker.groups[ranking.order[0]].id

    def _ask(self, text: str) -> Asked:
        """Return a question (already in its one form) cut."""
        words = tuple(self._cutter.words(text))
        content = tuple(word for word in words if not self._cutter.is_frame(word))
        features = self._cutter.features(text, words)
        telling = tuple(self._cutter.telling(words, features))
        ask = ask_of(text)
        weighted = features if ask is None else self._louder(features, ask)
        return Asked(text, words, content, telling, weighted, aspect_of(text), None if ask is None else features)

    def _louder(self, features: Mapping[str, float], ask: str) -> dict[str, float]:
        """Return a story's features with those of its ask counting more than the others, all together as before."""
        asked = self._cutter.features(ask, self._cutter.words(ask))
        louder = {name: count * ASK_TIMES if name in asked else count for name, count in features.items()}
        times = sum(features.values()) / sum(louder.values())
        return {name: count * times for name, count in louder.items()}

    def _heard(self, ranking: Ranking) -> tuple[Ranking, str | None]:
        """Return the ranking of the question with mistyped words corrected, when the sentence supports it.

        With it comes the word that decided, None when the question would have found the same without it.
        """
        if len(ranking.asked.text) > LONGEST_HEARD:
            return ranking, None
        heard = self._ear.heard(ranking.asked.text, ranking.asked.words)
        if chance(ranking.evidence) >= CLEAR:
            heard = [(written, known) for written, known in heard if written not in ranking.asked.words]
        if not heard or sum(len(written) for written, _ in heard) > HEARD_PART * len(ranking.asked.text):
            return ranking, None
        text = ranking.asked.text
        for written, known in heard:
            text = text.replace(written, known)
        asked = self._ask(self._normaliser.standard(text))
        least = _best(ranking) * HEARD_GAIN
        if self._ranker.most(asked) < least:  # most corrections end here: what no group covers better is not ranked
            return ranking, None
        corrected = self._ranker.rank(asked)
        if _best(corrected) < least or chance(corrected.evidence) <= chance(ranking.evidence):
            return ranking, None
        first = corrected.order[0]
        helped = [known for _, known in heard if self._ranker.index.has(first, f"w:{known}")]
        decided = first != ranking.order[0] or chance(ranking.evidence) < SURE
        return corrected, helped[0] if helped and decided else None

    def _outcome(self, ranking: Ranking) -> Findings:
        first = self._ranker.groups[ranking.order[0]]
        sure = chance(ranking.evidence)
        if sure >= SURE and (not ranking.evidence.known or _turned_round(ranking)):
            sure = (SURE + ASK) / 2
        if ranking.evidence.strange >= 1:
            sure = min(sure, ASK / 2)
        outcome: Outcome = "sure" if sure >= SURE else "unsure" if sure >= ASK else "nothing"
        if first.kind == "neighbour":
            outcome = "neighbour" if ranking.evidence.known >= NEIGHBOUR_KNOWN else "nothing"
        if outcome in ("neighbour", "nothing") and self._names_a_topic(ranking.asked):
            sure, outcome = (SURE + ASK) / 2, "unsure"
        if outcome == "sure" and (other := self._else(ranking, first)) is not None:
            sure = (SURE + ASK) / 2
            first_match, *matches = self._matches(ranking, sure)
            second = Match(self._ranker.groups[other].id, sure, UNEXPLAINED)
            rest = (match for match in matches if match.entry != second.entry)
            return self._findings(ranking, first, "unsure", (first_match, second, *rest)[:FEW])
        return self._findings(ranking, first, outcome, self._matches(ranking, sure))

    def _else(self, ranking: Ranking, first: Group) -> int | None:
        """Return the entry of another measure that a story finds when its ask counts no more than the rest of it.

        Then it is about two things, and the person says which.
        """
        if ranking.asked.evenly is None or first.kind != "entry":
            return None
        other = self._ranker.evenly(ranking.asked).order[0]
        group = self._ranker.groups[other]
        return other if group.kind == "entry" and set(group.measures).isdisjoint(first.measures) else None

    def _names_a_topic(self, asked: Asked) -> bool:
        """Return whether a question says no more than broad words of ours (鉴定怎么做).

        Then it may be ours, though it is not clear what is asked and a neighbour has the word, too.
        """
        return bool(asked.content) and self._broad.issuperset(asked.content)

    def _exactly(self, number: int, ranking: Ranking) -> Findings:
        """Return the findings for a wording that staff wrote down: nothing is surer."""
        group = self._ranker.groups[number]
        others = [m for m in self._matches(ranking, EXACT / 2) if m.entry != group.id]
        matches = [Match(group.id, EXACT, UNEXPLAINED), *others] if group.kind == "entry" else others
        outcome: Outcome = "neighbour" if group.kind == "neighbour" else "sure"
        return self._findings(ranking, group, outcome, tuple(matches[:FEW]))

    def _danger(self, ranking: Ranking) -> str | None:
        """Return the danger (id) that a question reads like, when that is likely enough."""
        danger = ranking.danger
        if danger is None or chance(danger.evidence) < DANGER:
            return None
        first = self._ranker.groups[danger.order[0]]
        return first.id if first.kind == "emergency" else None

    def _findings(self, ranking: Ranking, first: Group, outcome: Outcome, matches: tuple[Match, ...]) -> Findings:
        return Findings(
            plain="",
            standard=ranking.asked.text,
            outcome=outcome,
            matches=matches,
            neighbour=first.id if outcome == "neighbour" else None,
            guide=first.id if first.kind == "guide" and outcome != "nothing" else None,
            danger=self._danger(ranking),
        )

    def _matches(self, ranking: Ranking, sure: float) -> tuple[Match, ...]:
        """Return the entries among the best, each with the part of the first one's chance that its score earns."""
        best = _best(ranking) or 1.0
        entries = [n for n in ranking.order if self._ranker.groups[n].kind == "entry"][:FEW]
        return tuple(
            Match(
                self._ranker.groups[n].id,
                round(min(sure, sure * float(ranking.scores[n]) / best), 4),
                UNEXPLAINED,
            )
            for n in entries
        )

    def _why(self, asked: Asked, group: int) -> Why:
        index = self._ranker.index
        shared = tuple(dict.fromkeys(word for word in asked.content if index.has(group, f"w:{word}")))
        unknown = tuple(dict.fromkeys(word for word in asked.content if not index.knows(f"w:{word}")))
        return Why(self._ranker.likeness(asked, group)[0], shared, unknown)

    def _within(self, ranking: Ranking, recent: Sequence[str], measures: Sequence[int]) -> tuple[Match, ...]:
        """Return the entries of what the talk is about, best first: the service just shown, else the measures on offer."""
        shown = self._place.get(recent[0]) if recent else None
        if shown is None and not measures:
            return ()
        groups = self._ranker.groups
        if shown is not None:
            here = self._service[groups[shown].service]
        else:
            here = [n for n, group in enumerate(groups) if group.kind == "entry" and group.measures[0] in measures]
        own = ranking.own
        here = sorted(here, key=lambda n: (-float(own[n]), n))
        return tuple(
            Match(groups[n].id, round(float(own[n]), 4), UNEXPLAINED if place else self._why(ranking.asked, n))
            for place, n in enumerate(here[:WITHIN])
        )


def _lists(words: Words) -> str:
    """Return the lists that texts are read by in one string; the broad words change no text."""
    return repr((sorted(words.replace.items()), words.frames, words.known))


def _best(ranking: Ranking) -> float:
    return float(ranking.scores[ranking.order[0]])


def _least_talk(found: Findings) -> float:
    """Return how much a text must read like small talk to be it, the more so the surer it means something else."""
    if found.outcome == "sure" and found.matches and found.matches[0].score >= CLEAR:
        return OUTRIGHT
    return RATHER if found.outcome in ("sure", "unsure") else TALKING


def _turned_round(ranking: Ranking) -> bool:
    """Return whether the nearest phrasing is the same sentence but for a 不 or 没 that turns its meaning round."""
    asked, phrasing = _plainly(ranking.asked.text), _plainly(ranking.nearest[ranking.order[0]])
    if _negations(asked) % 2 == _negations(phrasing) % 2:
        return False
    return fuzz.ratio(asked.translate(DROP), phrasing.translate(DROP)) >= SAME_SENTENCE


def _plainly(text: str) -> str:
    """Return a sentence without the 不 and 没 that only ask (有没有, 行不行, 能领不)."""
    for harmless in HARMLESS_NEGATION:
        text = text.replace(harmless, "")
    return ASKING_END.sub("", text)


def _negations(text: str) -> int:
    return sum(text.count(sign) for sign in NEGATIONS)


def _spoken_words(groups: Iterable[Group], cutter: Cutter) -> list[str]:
    """Return the content words that several phrasings use, the most used first: a word said once is heard in too much."""
    counted: Counter[str] = Counter()
    for group in groups:
        for words in group.sorted_words:
            counted.update(words.split(" "))
    return [word for word, count in counted.most_common() if count >= LEAST_SAID and not cutter.is_frame(word)]
