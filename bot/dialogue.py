"""Decides what to say next: from a message, the conversation before it and what was found. Pure: no I/O, no clock.

``decide`` goes through the steps of ``STEPS`` in order; the first that has something to say wins. Each step is a function
of the same ``Case`` and returns a ``Said`` or None, so that a reader finds what a step does without the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.catalogue import Knowledge
from bot.emergency import find_emergency
from bot.followups import CORRECTION, RETURN, WRONG, aspect_of, pick_number, picked, stripped
from bot.model import MAX_READ, Choice, Conversation, Findings, Message, Turn
from bot.places import Found, find_place
from bot.saying import Case, Said, Sayer
from bot.text import compact

FORGET_AFTER = timedelta(minutes=30)
"""A conversation older than this, by the messages' own times, is a new one."""

MENU_AFTER = 2
"""So many messages not understood in a row, and the menu is shown."""

SHORT_FOLLOW_UP = 14
"""A message that leans on what was said before is no longer than this, in characters."""

FEW_WORDS = 2
"""A follow-up brings at most so many content words of its own."""

TRUNCATED = f"（你发的内容很长，我只看了前{MAX_READ}个字。）"


def decide(message: Message, before: Conversation, findings: Findings, knowledge: Knowledge) -> Turn:
    """Return the turn that answers a message.

    ``findings`` are the finder's for this message in the light of ``before.recent``; the reply's ``id`` and ``version`` are
    filled in by the caller.
    """
    fresh = _fresh(message, before)
    place = _place(message, findings, knowledge)
    conversation = replace(fresh, last_at=message.sent_at, place=_county(place) or fresh.place)
    case = Case(message, conversation, findings, knowledge, place, Sayer(knowledge, message.sent_at.date(), conversation.place))
    said = next(said for step in STEPS if (said := step(case)) is not None)
    reply = said.reply
    if len(message.text) > MAX_READ:
        reply = replace(reply, body=f"{TRUNCATED}\n{reply.body}")
    return Turn(message, reply, said.conversation, findings.matches)


def _fresh(message: Message, before: Conversation) -> Conversation:
    if before.last_at is not None and message.sent_at - before.last_at > FORGET_AFTER:
        return Conversation()
    return before


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
    return case.sayer.talk(case, _talk_of(compact(case.message.text.lower()), case.knowledge) or "empty")


def _emergency(case: Case) -> Said | None:
    """Somebody in danger now: help lines before anything else."""
    rule = find_emergency(compact(case.findings.plain), case.knowledge.emergencies)
    return case.sayer.emergency(case, rule) if rule is not None else None


def _restart(case: Case) -> Said | None:
    talk = _talk_of(compact(case.findings.plain), case.knowledge)
    return case.sayer.talk(case, talk) if talk in ("restart", "forget") else None


def _more(case: Case) -> Said | None:
    """详细, 继续: the long form of what was shown last."""
    talk = _talk_of(compact(case.findings.plain), case.knowledge)
    return case.sayer.long_form(case) if talk == "more" and case.conversation.recent else None


def _pick(case: Case) -> Said | None:
    """A choice that is open, by number, by its text or by words from it; a number with nothing open gets the menu."""
    text = compact(case.findings.plain)
    if case.conversation.choices:
        choice = picked(case.findings.plain, case.conversation.choices)
        return case.sayer.chosen(case, choice) if choice is not None else None
    return case.sayer.menu(case) if pick_number(text, 0) is not None and len(text) <= 3 else None


def _small_talk(case: Case) -> Said | None:
    """A turn about the bot itself."""
    talk = _talk_of(compact(case.findings.plain), case.knowledge)
    return case.sayer.talk(case, talk) if talk is not None else None


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
    if not case.conversation.recent or case.findings.broad:
        return None
    text = case.findings.standard
    aspect = aspect_of(text)
    if aspect is None or len(compact(text)) > SHORT_FOLLOW_UP or len(stripped(text)) > FEW_WORDS:
        return None
    return case.sayer.aspect(case, case.knowledge.entries[case.conversation.recent[0]].service, aspect)


def _broad(case: Case) -> Said | None:
    """A bare broad word: what is it about?"""
    return case.sayer.broad(case) if case.findings.broad else None


def _guided(case: Case) -> Said | None:
    """A vague opener (我受伤了): the first guided question."""
    guide = case.findings.guide
    return case.sayer.guide(case, guide) if guide is not None else None


def _sure(case: Case) -> Said | None:
    findings = case.findings
    return case.sayer.answer(case, findings.matches[0]) if findings.outcome == "sure" and findings.matches else None


def _neighbour(case: Case) -> Said | None:
    neighbour = case.findings.neighbour
    return case.sayer.refer(case, case.knowledge.neighbours[neighbour]) if neighbour is not None else None


def _leaning(case: Case) -> Said | None:
    """Unsure by itself, but short and inside what was just discussed: the nearest entry of that service."""
    if not case.conversation.recent or not case.findings.within or len(compact(case.findings.plain)) > SHORT_FOLLOW_UP:
        return None
    recent = case.knowledge.entries[case.conversation.recent[0]]
    top = case.findings.matches[0].entry if case.findings.matches else None
    related = top is None or bool(set(case.knowledge.entries[top].measures) & set(recent.measures))
    strange = case.findings.matches[0].why.unknown if case.findings.matches else ()
    if not related and case.findings.outcome == "unsure":
        return None
    if len(case.findings.content) > FEW_WORDS or (not related and strange):
        return None
    return case.sayer.within(case, case.findings.within[0])


def _unsure(case: Case) -> Said | None:
    return case.sayer.offer(case, list(case.findings.matches)) if case.findings.outcome == "unsure" else None


def _nothing(case: Case) -> Said | None:
    """Not understood: say so; the second time in a row, the menu."""
    misses = case.conversation.misses + 1
    return case.sayer.menu(case, misses=misses) if misses >= MENU_AFTER else case.sayer.unknown(case)


def _talk_of(text: str, knowledge: Knowledge) -> str | None:
    """Return the small talk (id) that a compact text is, None when it is none."""
    for talk in knowledge.smalltalk.values():
        if text in talk.exact:
            return talk.id
    short = len(text) <= 12
    return next((t.id for t in knowledge.smalltalk.values() if short and any(word in text for word in t.contains)), None)


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
    _sure,
    _neighbour,
    _leaning,
    _unsure,
    _nothing,
)
