"""Guards the meaning of the knowledge base: every question that staff wrote down must still reach its entry; pure.

A question is stolen when another entry (or a neighbour, a danger, a fixed talk) answers it. Written twice, or nearly so,
a wording can reach only one entry; and what is a little like another entry's wording must not win its ranking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from rapidfuzz import fuzz, process

from bot.catalogue import EmergencyRule, Entry, Knowledge
from bot.dialogue.deciding import decide
from bot.knowledge import Problem
from bot.model import Conversation, Findings, Match, Message, Reply, Why
from bot.understanding.emergency import find_emergency
from bot.understanding.matching import Finder
from bot.understanding.text import Normaliser, compact

SAME = 90.0
"""From this rapidfuzz ratio on two wordings are one: only one entry may have it."""

LIKE = 85.0
"""From this ratio on each of two wordings must win its own ranking even if it were worded a little differently."""

REACH = 60.0
"""A new wording less like a test question than this cannot take it away."""

BLOCK = 1000
"""How many wordings are compared with all others at a time: 1,000 x 14,000 likenesses are 56 MB."""

DIGITS = re.compile(r"\d+")
NOON = datetime(2026, 1, 1, 4, tzinfo=UTC)
SPANS = {"smalltalk": "固定回应", "emergency": "紧急情况", "choices": "只列出几条让人选", "none": "答“不知道”或指到别处"}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Stored:
    """A question that staff wrote down: as written, in its one form, whose it is; ``test`` when under ``### 测试``."""

    text: str
    form: str
    owner: str
    test: bool


@dataclass(frozen=True, slots=True)
class Stolen:
    """A question that no longer reaches its entry; ``thief`` says in Chinese what takes it, ``by`` the wording that does.

    ``entry`` is the thief's id when it is an entry: there the line to mend is. A ``mild`` one is worth knowing but keeps
    nothing from going live: danger comes first, whoever wrote the question down, and old pairs are only told.
    """

    question: str
    owner: str
    thief: str
    by: str
    entry: str | None = None
    mild: bool = False


def guard(
    knowledge: Knowledge, finder: Finder, former: Knowledge | None = None, progress: Progress = lambda _done, _all: None
) -> list[Stolen]:
    """Return every question that is stolen; with ``former`` only those that the edit since then can have touched."""
    if former is None:
        stored = added = stored_questions(knowledge)
        asked = _doubtful(stored, knowledge, progress)
        alarmed: list[Stolen] = []
    else:
        before = stored_questions(former)
        stored = stored_questions(knowledge)
        added = _added(stored, before)
        asked = _touched(stored, added, former, knowledge)
        alarmed = _alarmed(stored, added, former, knowledge)
    pairs = near_pairs(added, stored, LIKE)
    lost = _lost(asked, frozenset(added), knowledge, finder)
    found = [*alarmed, *lost, *_twins(pairs, knowledge, finder, known=former is None)]
    return list({(one.question, one.owner): one for one in reversed(found)}.values())[::-1]


def problems(stolen: Sequence[Stolen], knowledge: Knowledge, texts: Mapping[str, str]) -> list[Problem]:
    """Return what staff are told: each stolen question where the edit is to be mended, and what nobody can reach.

    ``texts`` are the files' by path, in which the line of a wording is looked up.
    """
    told = [_problem(one, knowledge, texts) for one in stolen]
    lost = unreached((one for one in stolen if not one.mild), knowledge)
    return sorted([*told, *(Problem(e.path, e.line, f"没有一句问得到「{e.question}」：加几条别处没有的问法") for e in lost)])


def _problem(one: Stolen, knowledge: Knowledge, texts: Mapping[str, str]) -> Problem:
    owner = knowledge.entries[one.owner]
    if one.entry is None or one.entry == one.owner:
        line = _line_of(one.question, owner, texts)
        return Problem(owner.path, line, f"「{owner.question}」的「{one.question}」问不到它：{one.thief}", one.mild)
    thief = knowledge.entries[one.entry]
    line = _line_of(one.by, thief, texts)
    text = f"问法「{one.by}」会抢走「{owner.question}」（{owner.path}）的「{one.question}」：说具体一点，或者删掉"
    return Problem(thief.path, line, text, one.mild)


def _line_of(wording: str, entry: Entry, texts: Mapping[str, str]) -> int:
    """Return the line (from 1) on which an entry's wording stands; the entry's own when it is nowhere."""
    lines = texts.get(entry.path, "").split("\n")
    return next((n for n, line in enumerate(lines, 1) if n > entry.line and line.strip(" -\r") == wording), entry.line)


def unreached(stolen: Iterable[Stolen], knowledge: Knowledge) -> list[Entry]:
    """Return the entries whose every question is stolen."""
    lost: dict[str, set[str]] = {}
    for one in stolen:
        lost.setdefault(one.owner, set()).add(one.question)
    own = {owner: {knowledge.entries[owner].question, *knowledge.entries[owner].phrasings} for owner in lost}
    return [knowledge.entries[owner] for owner, questions in lost.items() if own[owner] <= questions]


def stored_questions(knowledge: Knowledge) -> tuple[Stored, ...]:
    """Return every question of every entry in file order: its title, its phrasings, its test questions."""
    form = _in_one_form(tuple(sorted(knowledge.words.replace.items())))

    def of(entry: Entry) -> Iterator[Stored]:
        for test, texts in ((False, (entry.question, *entry.phrasings)), (True, entry.tests)):
            for text in dict.fromkeys(texts):
                yield Stored(text, form(text), entry.id, test)

    return tuple(one for entry in knowledge.entries.values() for one in of(entry))


@lru_cache(maxsize=2)
def _in_one_form(replace: tuple[tuple[str, str], ...]) -> Callable[[str], str]:
    """Return what brings a text to its one form by a word list; it remembers texts, for an edit changes a few of 20,000."""
    normaliser = Normaliser(dict(replace))
    return lru_cache(maxsize=60_000)(lambda text: compact(normaliser(text).standard))


def near_pairs(some: Sequence[Stored], everything: Sequence[Stored], least: float) -> Iterator[tuple[Stored, Stored, float]]:
    """Yield the pairs of different entries that are at least so like each other (0 to 100), each pair once."""
    forms = [one.form for one in everything]
    seen: set[tuple[Stored, Stored]] = set()
    for start in range(0, len(some), BLOCK):
        block = some[start : start + BLOCK]
        likenesses = process.cdist([one.form for one in block], forms, scorer=fuzz.ratio, score_cutoff=least, workers=2)
        for row, column in zip(*np.nonzero(likenesses), strict=True):
            one, other = block[row], everything[column]
            if one.owner != other.owner and (other, one) not in seen and _digits(one) == _digits(other):
                seen.add((one, other))
                yield one, other, float(likenesses[row, column])


def _digits(one: Stored) -> list[str]:
    """Return the numbers of a question: 12345 and 12348 are as like as can be, and two hotlines."""
    return DIGITS.findall(one.form)


def ask(text: str, knowledge: Knowledge, finder: Finder) -> Reply:
    """Return the reply to a question that opens a conversation."""
    return decide(Message("guard", "guard", "", text, NOON), Conversation(), finder.find(text), knowledge).reply


def _added(stored: Iterable[Stored], before: Iterable[Stored]) -> tuple[Stored, ...]:
    known = {(one.form, one.owner, one.test) for one in before}
    return tuple(one for one in stored if (one.form, one.owner, one.test) not in known)


def _touched(stored: Sequence[Stored], added: Sequence[Stored], former: Knowledge, knowledge: Knowledge) -> list[Stored]:
    """Return the stored questions that an edit can have touched: new ones, their likes, whatever new signs speak of."""
    normaliser = Normaliser(knowledge.words.replace)
    foreign = {compact(normaliser(text).standard) for text in _foreign(knowledge) - _foreign(former)}
    talk = {form for form in _fixed_talk(knowledge) - _fixed_talk(former) if form}
    near = {other for _, other, _ in near_pairs(added, [one for one in stored if one.test], REACH)} if added else set()
    new = set(added)
    return [one for one in stored if one in new or one in near or one.form in foreign or any(form in one.form for form in talk)]


def _alarmed(stored: Sequence[Stored], added: Sequence[Stored], former: Knowledge, knowledge: Knowledge) -> list[Stolen]:
    """Return the questions that an edit has sound the alarm: as written they are still recognised, worded otherwise not."""
    signs, new = _new_signs(former, knowledge), frozenset(added)
    normaliser = Normaliser(knowledge.words.replace)
    found = []
    for one in stored if signs else ():
        text = compact(normaliser(one.text).plain)
        if one in new or find_emergency(text, signs) is None:
            continue
        if find_emergency(text, knowledge.emergencies) and not find_emergency(text, former.emergencies):
            found.append(Stolen(one.text, one.owner, SPANS["emergency"], ""))
    return found


def _foreign(knowledge: Knowledge) -> set[str]:
    """Return the wordings that lead elsewhere than to an entry."""
    groups = [n.phrasings for n in knowledge.neighbours.values()]
    groups += [(neighbour.name,) for neighbour in knowledge.neighbours.values()]
    groups += [guide.triggers for guide in knowledge.guides.values()]
    groups += [rule.examples for rule in knowledge.emergencies]
    return {text for group in groups for text in group}


def _new_signs(former: Knowledge, knowledge: Knowledge) -> tuple[EmergencyRule, ...]:
    """Return one rule with the signs of danger that an edit added; signs that an ``除非`` no longer takes back count, too."""
    before = {sign for rule in former.emergencies for sign in rule.signs}
    now = {sign for rule in knowledge.emergencies for sign in rule.unless}
    signs = [sign for rule in knowledge.emergencies for sign in rule.signs if sign not in before]
    signs += [sign for rule in former.emergencies for sign in rule.unless if sign not in now]
    return (EmergencyRule("new", (), "", None, tuple(signs), (), ()),) if signs else ()


def _fixed_talk(knowledge: Knowledge) -> set[str]:
    return {text for talk in knowledge.smalltalk.values() for text in (*talk.exact, *talk.contains)}


def _doubtful(stored: Sequence[Stored], knowledge: Knowledge, progress: Progress) -> list[Stored]:
    """Return the questions that must be asked in earnest: tests, and wordings that something may answer before their entry.

    A wording that stands under one entry alone is found whole: then only what comes before an answer, dangers and fixed
    talk, can take it, and to see that no ranking is needed.
    """
    owners = {one.form: one.owner for one in stored if not one.test}
    normaliser = Normaliser(knowledge.words.replace)
    owners |= {compact(normaliser(text).standard): "" for text in _foreign(knowledge)}
    found = []
    for number, one in enumerate(stored, 1):
        progress(number, len(stored))
        if one.test or owners[one.form] != one.owner or not _answered(one, normaliser, knowledge):
            found.append(one)
    return found


def _answered(one: Stored, normaliser: Normaliser, knowledge: Knowledge) -> bool:
    text = normaliser(one.text)
    matches = (Match(one.owner, 1.0, Why(one.text, (), ())),)
    findings = Findings(text.plain, text.standard, "sure", matches, exact=True)
    reply = decide(Message("guard", "guard", "", one.text, NOON), Conversation(), findings, knowledge).reply
    return reply.kind == "answer" and reply.entry == one.owner


def _lost(asked: Sequence[Stored], added: Set[Stored], knowledge: Knowledge, finder: Finder) -> Iterator[Stolen]:
    """Yield the questions that get another answer than their entry's."""
    for one in asked:
        reply = ask(one.text, knowledge, finder)
        if reply.kind == "answer" and reply.entry == one.owner:
            continue
        thief = reply.entry if reply.kind == "answer" else None
        name = f"「{knowledge.entries[thief].question}」" if thief else SPANS.get(reply.kind, reply.kind)
        matches = finder.explained(one.text).matches
        by = next((match.why.phrasing for match in matches if match.entry == thief), "")
        # What was there before takes nothing from a new wording: the new one is to be mended.
        thief = None if one in added else thief
        yield Stolen(one.text, one.owner, name, by, thief, mild=reply.kind == "emergency" and one in added)


def _twins(
    pairs: Iterable[tuple[Stored, Stored, float]], knowledge: Knowledge, finder: Finder, known: bool
) -> Iterator[Stolen]:
    """Yield the pairs that are one wording, and those of which one does not win its own ranking."""
    for one, other, likeness in pairs:
        # A test question takes nothing from anybody; whether it reaches its own entry has been asked.
        new, old = (other, one) if one.test and known else (one, other)
        if new.test:
            continue
        if likeness >= SAME:
            yield _robbed(old, new, knowledge, mild=False)
            continue
        for owner, thief in ((old, new), (new, old)):
            if finder.assess(owner.text)[1] == thief.owner:
                yield _robbed(owner, thief, knowledge, mild=known)


def _robbed(owner: Stored, thief: Stored, knowledge: Knowledge, mild: bool) -> Stolen:
    name = f"「{knowledge.entries[thief.owner].question}」"
    return Stolen(owner.text, owner.owner, name, thief.text, thief.owner, mild)
