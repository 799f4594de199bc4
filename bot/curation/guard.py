"""Guards the meaning of the knowledge base: every question that staff wrote down must still reach its entry; pure.

A question is stolen when another entry (or a neighbour, a danger, a fixed talk) answers it. Written twice, or nearly so,
a wording can reach only one entry; and what is a little like another entry's wording must not win its ranking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.answer import Library
from bot.catalogue import Entry, Knowledge
from bot.curation.likeness import alike
from bot.dialogue.deciding import decide
from bot.knowledge import Problem
from bot.model import Conversation, Findings, Match, Message, Reply, Why
from bot.understanding.emergency import Signs, Vocabulary
from bot.understanding.matching import Finder
from bot.understanding.text import compact

SAME = 90.0
"""From this rapidfuzz ratio on two wordings are one: only one entry may have it."""

LIKE = 85.0
"""From this ratio on each of two wordings must win its own ranking even if it were worded a little differently."""

REACH = 60.0
"""A new wording less like a test question than this cannot take it away."""

DIGITS = re.compile(r"\d+")
NOTHING = r"(?!)"
"""A pattern that is found nowhere."""

WORDS = "words.md"
NOON = datetime(2026, 1, 1, 4, tzinfo=UTC)
SPANS = {"smalltalk": "固定回应", "emergency": "紧急情况", "choices": "只列出几条让人选", "none": "答“不知道”或指到别处"}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Stored:
    """A question that staff wrote down: as written, in its one form, whose it is; ``test`` when under ``### 测试``.

    ``plain`` is the form before the word lists; neither form has spaces or marks.
    """

    text: str
    plain: str
    form: str
    owner: str
    test: bool


@dataclass(frozen=True, slots=True)
class Stolen:
    """A question that no longer reaches its entry; ``thief`` says in Chinese what takes it, ``by`` the wording that does.

    ``entry`` is the thief's id when it is an entry: there the line to mend is. A ``mild`` one is worth knowing but keeps
    nothing from going live: danger comes first, whoever wrote the question down, and old pairs are only told.
    ``word`` is the one in ``words.md`` whose change did it, empty when it was something else. A ``near`` one still reaches
    its entry: two wordings of different entries are much alike.
    """

    question: str
    owner: str
    thief: str
    by: str
    entry: str | None = None
    mild: bool = False
    word: str = ""
    near: bool = False


def guard(now: Library, former: Library | None = None, progress: Progress = lambda _done, _all: None) -> list[Stolen]:
    """Return every question that is stolen; with ``former`` only those that the edit since then can have touched."""
    before = stored_questions(former) if former is not None else ()
    stored = stored_questions(now)
    if former is None:
        added = stored
        touched: Sequence[Stored] = stored
        alarmed: list[Stolen] = []
    else:
        added = _added(stored, before)
        touched = _touched(stored, added, former, now)
        alarmed = _alarmed(stored, added, former, now)
    asked = _doubtful(touched, stored, now, progress)
    lost = _lost(asked, frozenset(added), now)
    pairs = near_pairs(added, stored, LIKE)
    found = [*alarmed, *lost, *_twins(pairs, now, known=former is None)]
    if former is not None:
        reread = {(one.text, one.owner) for one in added} & {(one.text, one.owner) for one in before}
        found = [_blamed(one, reread, now.finder, former.finder) for one in found]
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
    if one.word:
        line = next((n for n, line in enumerate(texts.get(WORDS, "").split("\n"), 1) if one.word in line.lower()), 1)
        text = (
            f"改了「{one.word}」这个词以后，「{owner.question}」（{owner.path}）的「{one.question}」问不到它了，变成{one.thief}"
        )
        return Problem(WORDS, line, f"{text}：换个标准词，或者撤回", one.mild)
    if one.entry is None or one.entry == one.owner:
        line = _line_of(one.question, owner, texts)
        return Problem(owner.path, line, f"「{owner.question}」的「{one.question}」问不到它：{one.thief}", one.mild)
    thief = knowledge.entries[one.entry]
    line = _line_of(one.by, thief, texts)
    if one.near:
        text = f"问法「{one.by}」和「{owner.question}」（{owner.path}）的「{one.question}」很像"
        return Problem(thief.path, line, f"{text}：现在都问得到，能说得更不一样就更好", notice=True)
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


def stored_questions(library: Library) -> tuple[Stored, ...]:
    """Return every question of every entry in file order: its title, its phrasings, its test questions."""

    def of(entry: Entry) -> Iterator[Stored]:
        for test, texts in ((False, (entry.question, *entry.phrasings)), (True, entry.tests)):
            for text in dict.fromkeys(texts):
                read = library.finder.read(text)
                plain = compact(read.plain)
                form = plain if read.standard == read.plain else compact(read.standard)
                yield Stored(text, plain, form, entry.id, test)

    return tuple(one for entry in library.knowledge.entries.values() for one in of(entry))


def near_pairs(some: Sequence[Stored], everything: Sequence[Stored], least: float) -> Iterator[tuple[Stored, Stored, float]]:
    """Yield the pairs of different entries that are at least so like each other (0 to 100), each pair once."""
    forms = [one.form for one in everything]
    seen: set[tuple[Stored, Stored]] = set()
    for row, column, likeness in alike(forms if some is everything else [one.form for one in some], forms, least):
        one, other = some[row], everything[column]
        if one.owner != other.owner and (other, one) not in seen and _digits(one) == _digits(other):
            seen.add((one, other))
            yield one, other, likeness


def _digits(one: Stored) -> list[str]:
    """Return the numbers of a question: 12345 and 12348 are as like as can be, and two hotlines."""
    return DIGITS.findall(one.form)


def ask(text: str, knowledge: Knowledge, finder: Finder) -> Reply:
    """Return the reply to a question that opens a conversation."""
    return decide(Message("guard", "guard", "", text, NOON), Conversation(), finder.find(text), knowledge).reply


def _added(stored: Iterable[Stored], before: Iterable[Stored]) -> tuple[Stored, ...]:
    known = {(one.form, one.owner, one.test) for one in before}
    return tuple(one for one in stored if (one.form, one.owner, one.test) not in known)


def _touched(stored: Sequence[Stored], added: Sequence[Stored], former: Library, now: Library) -> list[Stored]:
    """Return the stored questions whose reply an edit can have changed.

    A wording is recognised whole: only what is recognised before it can take it. What a test finds depends on everything;
    but an edit of other entries is seen by the tests that are like what it adds.
    """
    new, foreign, broad = set(added), _foreign(now) - _foreign(former), _broad(now) - _broad(former)
    words = (_fixed_talk(now.knowledge) - _fixed_talk(former.knowledge)) | _places_that_differ(former.knowledge, now.knowledge)
    spoken = re.compile("|".join(map(re.escape, filter(None, words))) or NOTHING)
    tests = [one for one in stored if one.test]
    if now.knowledge.words == former.knowledge.words and not foreign:
        edited = {e.id for e in now.knowledge.entries.values() if _found_by(e) != _found_by(former.knowledge.entries.get(e.id))}
        near = {other for _, other, _ in near_pairs(added, tests, REACH)}
        tests = [one for one in tests if one.owner in edited or one in near]
    doubted = new.union(tests)
    return [one for one in stored if one in doubted or one.form in foreign or one.form in broad or spoken.search(one.plain)]


def _found_by(entry: Entry | None) -> tuple[object, ...]:
    """Return all of an entry that the finder looks at."""
    if entry is None:
        return ()
    return entry.service, entry.measures, entry.aspects, entry.question, entry.phrasings, entry.answer.short


def _alarmed(stored: Sequence[Stored], added: Sequence[Stored], former: Library, now: Library) -> list[Stolen]:
    """Return the questions that an edit has sound the alarm: as written they are still recognised, worded otherwise not."""
    signs, new = _new_signs(former.knowledge, now.knowledge), frozenset(added)
    vocabulary = Vocabulary(signs.all)
    found = []
    for one in stored if signs.all else ():
        if one in new or not signs.held(vocabulary.words_in(one.plain)):
            continue
        if now.finder.lookout.spot(one.plain) and not former.finder.lookout.spot(one.plain):
            found.append(Stolen(one.text, one.owner, SPANS["emergency"], ""))
    return found


def _foreign(library: Library) -> set[str]:
    """Return the forms of the wordings that lead elsewhere than to an entry."""
    knowledge, read = library.knowledge, library.finder.read
    groups = [n.phrasings for n in knowledge.neighbours.values()]
    groups += [(neighbour.name,) for neighbour in knowledge.neighbours.values()]
    groups += [guide.triggers for guide in knowledge.guides.values()]
    groups += [rule.examples for rule in knowledge.emergencies]
    return {compact(read(text).standard) for group in groups for text in group}


def _broad(library: Library) -> set[str]:
    """Return the forms of the words that get a list, never an answer."""
    return {compact(library.finder.read(word).standard) for word in library.knowledge.words.broad}


def _places_that_differ(former: Knowledge, knowledge: Knowledge) -> set[str]:
    """Return the names of places that one of two versions does not know, or knows as something else."""

    def names(of: Knowledge) -> set[tuple[str, ...]]:
        known = {(name, place.office) for place in of.places for name in place.names}
        towns = {(name, place.office, "town") for place in of.places for name in place.towns}
        return known | towns | {(place.name,) for place in of.outside}

    return {name for name, *_ in names(former) ^ names(knowledge)}


def _new_signs(former: Knowledge, knowledge: Knowledge) -> Signs:
    """Return the signs of danger that an edit added; those that an ``除非`` no longer takes back count, too."""
    before = {sign for rule in former.emergencies for sign in rule.signs}
    now = {sign for rule in knowledge.emergencies for sign in rule.unless}
    signs = [sign for rule in knowledge.emergencies for sign in rule.signs if sign not in before]
    signs += [sign for rule in former.emergencies for sign in rule.unless if sign not in now]
    return Signs(signs)


def _fixed_talk(knowledge: Knowledge) -> set[str]:
    return {text for talk in knowledge.smalltalk.values() for text in (*talk.exact, *talk.contains)}


def _doubtful(touched: Sequence[Stored], stored: Sequence[Stored], library: Library, progress: Progress) -> list[Stored]:
    """Return the questions that must be asked in earnest: tests, and wordings that something may answer before their entry.

    A wording that stands under one entry alone is found whole: then only what comes before an answer, fixed talk and the
    like, can take it, and to see that no ranking is needed.
    """
    owners = {one.form: one.owner for one in stored if not one.test}
    owners |= dict.fromkeys(_foreign(library), "")
    broad = _broad(library)
    found = []
    for number, one in enumerate(touched, 1):
        progress(number, len(touched))
        if one.test or owners[one.form] != one.owner or not _answered(one, library, broad):
            found.append(one)
    return found


def _answered(one: Stored, library: Library, broad: Set[str]) -> bool:
    text = library.finder.read(one.text)
    matches = (Match(one.owner, 1.0, Why(one.text, (), ())),)
    talk = library.finder.talks.of(one.plain)
    findings = Findings(text.plain, text.standard, "sure", matches, broad=one.form in broad, exact=True, talk=talk)
    reply = decide(Message("guard", "guard", "", one.text, NOON), Conversation(), findings, library.knowledge).reply
    return reply.kind == "answer" and reply.entry == one.owner


def _lost(asked: Sequence[Stored], added: Set[Stored], library: Library) -> Iterator[Stolen]:
    """Yield the questions that get another answer than their entry's."""
    knowledge, finder = library.knowledge, library.finder
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


def _twins(pairs: Iterable[tuple[Stored, Stored, float]], library: Library, known: bool) -> Iterator[Stolen]:
    """Yield the pairs that are one wording, those of which one does not win its own ranking, and the others as near."""
    knowledge = library.knowledge
    for one, other, likeness in pairs:
        # A test question takes nothing from anybody; whether it reaches its own entry has been asked.
        new, old = (other, one) if one.test and known else (one, other)
        if new.test:
            continue
        if likeness >= SAME:
            yield _robbed(old, new, knowledge, mild=False)
            continue
        robbed = [
            _robbed(owner, thief, knowledge, mild=known)
            for owner, thief in ((old, new), (new, old))
            if library.finder.assess(owner.text)[1] == thief.owner
        ]
        yield from robbed or [replace(_robbed(old, new, knowledge, mild=True), near=True)]


def _robbed(owner: Stored, thief: Stored, knowledge: Knowledge, mild: bool) -> Stolen:
    name = f"「{knowledge.entries[thief.owner].question}」"
    return Stolen(owner.text, owner.owner, name, thief.text, thief.owner, mild)


def _blamed(one: Stolen, reread: Set[tuple[str, str]], now: Finder, former: Finder) -> Stolen:
    """Return a theft with the word that did it, when a wording of ``reread`` (texts with owners) is but read otherwise."""
    texts = [text for text, owner in ((one.question, one.owner), (one.by, one.entry)) if (text, owner) in reread]
    said = [now.read(text).plain for text in texts]
    words = [word for word in now.differing(former) if any(word in text for text in said)]
    return replace(one, word=max(words, key=len)) if words else one
