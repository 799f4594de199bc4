"""Decides what to say next: from a message, the conversation before it and what was found. Pure: no I/O, no clock.

``decide`` goes through the steps of ``STEPS`` in order; the first that has something to say wins. Each step is a function
of the same ``Case`` and returns a ``Said`` or None, so that a reader finds what a step does without the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest

from bot.catalogue import Knowledge
from bot.dialogue.followups import CORRECTION, RETURN, WRONG, pick_number, picked, stripped
from bot.dialogue.saying import Case, Said, Sayer
from bot.model import MAX_READ, Choice, Conversation, Findings, Match, Message, Turn
from bot.understanding.aspects import aspect_of
from bot.understanding.places import Found, find_place
from bot.understanding.text import compact

FORGET_AFTER = timedelta(minutes=30)
"""A conversation older than this, by the messages' own times, is a new one."""

MENU_AFTER = 2
"""So many messages not understood in a row, and the menu is shown."""

SHORT_FOLLOW_UP = 14
"""A message that leans on what was said before is no longer than this, in characters."""

LONG_FOLLOW_UP = 24
"""A message that is not understood by itself is taken as part of the talk when it is no longer than this."""

FEW_WORDS = 2
"""A follow-up brings at most so many content words of its own."""

COVERED = 0.4
"""The share of a follow-up's words that an entry of the talk must cover to be its answer."""

COVERED_BESIDE = 0.3
"""The same when by itself it would be about something that is not ours."""

SURE_OF_CHANGE = 0.85
"""How sure a short message must be of something else to change the talk without asking."""

TRUNCATED = f"（你发的内容很长，我只看了前{MAX_READ}个字。）"


def decide(message: Message, before: Conversation, findings: Findings, knowledge: Knowledge) -> Turn:
    """Return the turn that answers a message.

    ``findings`` are the finder's for this message in the light of ``before.recent``; the reply's ``id`` and ``version`` are
    filled in by the caller.
    """
    fresh = _known(_fresh(message, before), knowledge)
    place = _place(message, findings, knowledge)
    conversation = replace(fresh, last_at=message.sent_at, place=_county(place) or fresh.place)
    sayer = Sayer(knowledge, message.sent_at.date(), conversation.place)
    case = Case(message, conversation, findings, knowledge, place, sayer)
    said = next(said for step in STEPS if (said := step(case)) is not None)
    reply = said.reply
    if len(message.text) > MAX_READ:
        reply = replace(reply, body=f"{TRUNCATED}\n{reply.body}")
    return Turn(message, reply, said.conversation, findings.matches)


def _fresh(message: Message, before: Conversation) -> Conversation:
    if before.last_at is not None and message.sent_at - before.last_at > FORGET_AFTER:
        return Conversation()
    return before


def _known(conversation: Conversation, knowledge: Knowledge) -> Conversation:
    """Return a conversation without what staff have since renamed or taken away: it may stem from another knowledge base."""
    moved = (knowledge.moved.get(entry, entry) for entry in conversation.recent)
    recent = tuple(entry for entry in moved if entry in knowledge.entries)
    choices = tuple(choice for choice in conversation.choices if _leads_somewhere(choice, knowledge))
    place = conversation.place if conversation.place in knowledge.offices else None
    return replace(conversation, recent=recent, choices=choices, place=place)


def _leads_somewhere(choice: Choice, knowledge: Knowledge) -> bool:
    if choice.option is not None:
        guide, node = choice.option.split("/")
        return guide in knowledge.guides and node in knowledge.guides[guide].nodes
    return choice.entry is None or choice.entry in knowledge.entries


def _place(message: Message, findings: Findings, knowledge: Knowledge) -> Found:
    text = findings.plain if message.kind == "text" else message.text
    return Found() if message.kind == "open" else find_place(text, knowledge.places, knowledge.outside)


def _county(place: Found) -> str | None:
    return place.offices[0] if len(place.offices) == 1 else None


# --- The steps, in the order in which they are tried -------------------------------------------------------------------


def _opened(case: Case) -> Said | None:
    """A menu click, a QR code, a new follower: what it names is opened."""
    return case.sayer.open(case, case.message.text) if case.message.kind == "open" else None


def _located(case: Case) -> Said | None:
    """A position that the phone sent along."""
    return case.sayer.place(case) if case.message.kind == "place" else None


def _empty(case: Case) -> Said | None:
    """Nothing to read: spaces, signs, pictures of faces."""
    if compact(case.findings.plain):
        return None
    return case.sayer.talk(case, case.findings.talk or "empty")


def _emergency(case: Case) -> Said | None:
    """Somebody in danger now: help lines before anything but a question that staff wrote down themselves."""
    if case.findings.exact:
        return None
    rule = next((rule for rule in case.knowledge.emergencies if rule.id == case.findings.danger), None)
    return case.sayer.emergency(case, rule) if rule is not None else None


def _restart(case: Case) -> Said | None:
    return case.sayer.talk(case, case.findings.talk) if case.findings.talk in ("restart", "forget") else None


def _more(case: Case) -> Said | None:
    """详细, 继续: the long form of what was shown last."""
    return case.sayer.long_form(case) if case.findings.talk == "more" and case.conversation.recent else None


def _pick(case: Case) -> Said | None:
    """A choice that is open, by number, by its text or by words from it; a number with nothing open gets the menu."""
    text = compact(case.findings.plain)
    if case.conversation.choices:
        choice = picked(case.findings.plain, case.conversation.choices)
        return case.sayer.chosen(case, choice) if choice is not None else None
    return case.sayer.menu(case) if pick_number(text, 0) is not None and len(text) <= 3 else None


def _small_talk(case: Case) -> Said | None:
    """A turn about the bot itself."""
    return case.sayer.talk(case, case.findings.talk) if case.findings.talk is not None else None


def _like_small_talk(case: Case) -> Said | None:
    """Nearly a sentence of small talk, and nothing else for sure."""
    return case.sayer.talk(case, case.findings.like_talk) if case.findings.like_talk is not None else None


def _wrong(case: Case) -> Said | None:
    """不对: the answer was not what was meant, and nothing else is said."""
    rest = WRONG.sub("", CORRECTION.sub("", case.findings.plain))
    if rest == case.findings.plain or compact(rest):
        return None
    return case.sayer.offer(case, [m for m in case.findings.matches if m.entry not in case.conversation.recent[:1]])


def _returned(case: Case) -> Said | None:
    """回到刚才那个: the service before the last, and the aspect asked of it now."""
    if not RETURN.search(case.findings.plain) or not case.conversation.recent:
        return None
    services = list(dict.fromkeys(case.knowledge.entries[e].service for e in case.conversation.recent))
    service = services[1] if len(services) > 1 else services[0]
    return case.sayer.aspect(case, service, aspect_of(RETURN.sub("", case.findings.standard)))


def _place_alone(case: Case) -> Said | None:
    """那罗定呢: the same answer, with that county's bureau."""
    return case.sayer.place(case) if case.place.alone else None


def _follow_up(case: Case) -> Said | None:
    """要带什么材料: the matching entry of the service at hand."""
    findings = case.findings
    service = _service_at_hand(case)
    if service is None or findings.broad or _length(case) > SHORT_FOLLOW_UP:
        return None
    aspect = aspect_of(findings.standard)
    if aspect is None or not _leans(case):
        return None
    return case.sayer.aspect(case, service, aspect)


def _broad(case: Case) -> Said | None:
    """A bare broad word: what is it about?"""
    return case.sayer.broad(case) if case.findings.broad else None


def _guided(case: Case) -> Said | None:
    """A vague opener (我受伤了): the first guided question."""
    guide = case.findings.guide
    return case.sayer.guide(case, guide) if guide is not None else None


def _hardly_sure(case: Case) -> Said | None:
    """Short, in the middle of a talk, and sure only of something else: both are offered, nothing is answered."""
    findings = case.findings
    if findings.outcome != "sure" or not findings.within or not findings.matches or _length(case) > SHORT_FOLLOW_UP:
        return None
    first = findings.matches[0]
    if first.score >= SURE_OF_CHANGE or _same_talk(case, first) or len(findings.content) > FEW_WORDS:
        return None
    return case.sayer.offer(case, _both(case))


def _sure(case: Case) -> Said | None:
    findings = case.findings
    return case.sayer.answer(case, findings.matches[0]) if findings.outcome == "sure" and findings.matches else None


def _neighbour(case: Case) -> Said | None:
    """Not ours: whose it is. What is nobody's we know counts as not understood."""
    neighbour = case.knowledge.neighbours.get(case.findings.neighbour or "")
    if neighbour is None:
        return None
    lost = not neighbour.phone and case.conversation.misses + 1 >= MENU_AFTER
    return _nothing(case) if lost else case.sayer.refer(case, neighbour)


def _leaning_neighbour(case: Case) -> Said | None:
    """Short, in the middle of a talk, and a neighbour's by itself (怎么加入): the entry of the talk that covers it."""
    findings = case.findings
    if findings.outcome != "neighbour" or not findings.within or _length(case) > SHORT_FOLLOW_UP:
        return None
    best = findings.within[0]
    return case.sayer.within(case, best) if best.score >= COVERED_BESIDE else None


def _leaning(case: Case) -> Said | None:
    """Unsure by itself, but short and said in the middle of a talk: the entry of that talk that covers it, or a list."""
    findings = case.findings
    if not findings.within or _length(case) > LONG_FOLLOW_UP:
        return None
    best = findings.within[0]
    if best.score >= COVERED and (not findings.matches or _same_talk(case, findings.matches[0])):
        return case.sayer.within(case, best)
    return case.sayer.offer(case, _both(case))


def _unsure(case: Case) -> Said | None:
    return case.sayer.offer(case, list(case.findings.matches)) if case.findings.outcome == "unsure" else None


def _nothing(case: Case) -> Said | None:
    """Not understood: say so; the second time in a row, the menu."""
    misses = case.conversation.misses + 1
    return case.sayer.menu(case, misses=misses) if misses >= MENU_AFTER else case.sayer.unknown(case)


def _service_at_hand(case: Case) -> str | None:
    """Return the service just shown, or the one that every open choice belongs to."""
    entries = case.knowledge.entries
    if case.conversation.recent and not case.conversation.choices:
        return entries[case.conversation.recent[0]].service
    offered = {entries[choice.entry].service for choice in case.conversation.choices if choice.entry}
    if len(offered) == 1:
        return offered.pop()
    return entries[case.conversation.recent[0]].service if case.conversation.recent else None


def _length(case: Case) -> int:
    return len(compact(case.findings.plain))


def _leans(case: Case) -> bool:
    """Return whether a message brings no topic of its own: little beyond its aspect, or only words of the service at hand."""
    if len(stripped(case.findings.standard)) <= FEW_WORDS:
        return True
    here = case.findings.within[0].why.shared if case.findings.within else ()
    first = case.findings.matches[0] if case.findings.matches else None
    return all(word in here for word in case.findings.content) and (first is None or _same_talk(case, first))


def _both(case: Case) -> list[Match]:
    """Return what the message may mean by itself and within the talk, in turns, each entry once."""
    turns = zip_longest(case.findings.matches, case.findings.within)
    return list({match.entry: match for pair in turns for match in pair if match is not None}.values())


def _same_talk(case: Case, match: Match) -> bool:
    """Return whether a match belongs to a measure of what the talk is about."""
    about = {measure for within in case.findings.within for measure in case.knowledge.entries[within.entry].measures}
    return bool(about & set(case.knowledge.entries[match.entry].measures))


STEPS: tuple[Callable[[Case], Said | None], ...] = (
    _opened,
    _located,
    _empty,
    _emergency,
    _restart,
    _more,
    _pick,
    _small_talk,
    _wrong,
    _returned,
    _place_alone,
    _follow_up,
    _guided,
    _broad,
    _hardly_sure,
    _sure,
    _like_small_talk,
    _leaning_neighbour,
    _neighbour,
    _leaning,
    _unsure,
    _nothing,
)
