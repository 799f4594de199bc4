"""Recognises small talk: turns about the bot itself, in the sentences that staff keep in ``knowledge/smalltalk.md``; pure."""

from __future__ import annotations

from collections.abc import Mapping, Set

from bot.catalogue import Knowledge, SmallTalk

SHORT = 12
"""Up to so many characters a listed word anywhere decides what the message is."""

LONGEST = 24
"""A longer message is hardly made of small talk alone."""

OPENING = "greeting"
"""The small talk (id) that other talk may follow in one message: 你好 谢谢 is thanks."""

Spoken = tuple[int, tuple[str, ...]]
"""How the beginning of a text may be made up: so many characters of address and particles, and these small talks (ids)."""


def talk_of(text: str, knowledge: Knowledge) -> str | None:
    """Return the small talk (id) that a compact text is, None when it is none.

    It is a listed sentence, has a listed word and is short, or is made of listed sentences, forms of address and particles
    alone (老师你好呀，太谢谢您了).
    """
    talks = knowledge.smalltalk
    whole = _listed(text, talks)
    if whole is not None or len(text) > LONGEST:
        return whole
    if len(text) <= SHORT:
        having = (talk.id for talk in talks.values() if any(word in text for word in talk.contains))
        found = next(having, None)
        if found is not None:
            return found
    return _made_of(text, talks, knowledge.words.fillers)


def _listed(text: str, talks: Mapping[str, SmallTalk]) -> str | None:
    return next((talk.id for talk in talks.values() if text in talk.exact), None)


def _made_of(text: str, talks: Mapping[str, SmallTalk], fillers: Set[str]) -> str | None:
    """Return the last small talk of those that a text is made of, with as few fillers as may be."""
    begun: dict[int, Spoken] = {0: (0, ())}
    for start in range(len(text)):
        if start not in begun:
            continue
        filled, said = begun[start]
        for end in range(start + 1, len(text) + 1):
            piece = text[start:end]
            talk = _listed(piece, talks) if len(piece) > 1 else None
            if talk is None and piece not in fillers:
                continue
            spoken = (filled + (0 if talk else len(piece)), (*said, talk) if talk else said)
            begun[end] = min(begun.get(end, spoken), spoken)
    _, said = begun.get(len(text), (0, ()))
    return next((talk for talk in reversed(said) if talk != OPENING), said[-1] if said else None)
