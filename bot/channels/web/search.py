"""Finds entries for the search page by the pieces of words they share with what was typed; the bot answers better."""

from __future__ import annotations

from collections.abc import Iterable

from bot.catalogue import Entry

MOST_FOUND = 20
LEAST_SHARE = 0.5
"""Entries that have fewer of the typed pieces than this are not shown."""


def search(entries: Iterable[Entry], typed: str) -> list[Entry]:
    """Return at most 20 entries that have at least half of the typed pieces, best first, else in file order."""
    wanted = pieces(typed)
    if not wanted:
        return []
    scored = [(_score(wanted, entry), entry) for entry in entries]
    found = [(score, entry) for score, entry in scored if score >= LEAST_SHARE]
    return [entry for _, entry in sorted(found, key=lambda pair: -pair[0])[:MOST_FOUND]]


def pieces(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters in each word; a word of one character is a piece itself."""
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return frozenset(word[i : i + 2] for word in words for i in range(max(1, len(word) - 1)))


def _score(wanted: frozenset[str], entry: Entry) -> float:
    """Return the share of pieces found anywhere in the entry, plus half the share found in its question."""
    everything = "\n".join((entry.question, *entry.phrasings, entry.answer.short)).lower()
    question = entry.question.lower()
    anywhere = sum(piece in everything for piece in wanted) / len(wanted)
    return anywhere + sum(piece in question for piece in wanted) / len(wanted) / 2 if anywhere >= LEAST_SHARE else 0.0
