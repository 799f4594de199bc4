"""The one door: what every channel and script calls with a message. Gather, decide, apply."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.catalogue import Knowledge
from bot.dialogue.deciding import decide
from bot.model import MAX_READ, Conversation, Health, Message, Reply, Turn
from bot.storage.memory import AwayError, Memory
from bot.storage.store import Store
from bot.understanding.explaining import explain
from bot.understanding.matching import Finder

MOST_TRIES = 50
"""How often a person's own messages may overtake one of them before it is answered without memory."""

MOST_SECONDS = 3.0
"""How long that may take: WeChat waits five."""

NOTICE = "privacy"
"""The fixed talk that tells a new person what is kept of them."""


@dataclass(frozen=True, slots=True)
class Library:
    """A knowledge base and the finder made from it: they change together, in one assignment."""

    knowledge: Knowledge
    finder: Finder


class Counts(Protocol):
    """What counts replies."""

    def reply(self, channel: str, kind: str, seconds: float) -> None:
        """Count one reply."""
        ...


class Bot:
    """Answers messages; safe to share between threads.

    ``days`` is how long turns are kept, for the notice at a person's first use; 0 gives none, where nothing is kept.
    """

    def __init__(self, library: Library, store: Store | Memory, *, counts: Counts | None = None, days: int = 180) -> None:
        self._library = library
        self._memory = store if isinstance(store, Memory) else Memory(store)
        self._counts = counts
        self._days = days

    @property
    def knowledge(self) -> Knowledge:
        """The knowledge base that answers now."""
        return self._library.knowledge

    def exchange(self, library: Library) -> None:
        """Answer from another knowledge base from the next message on."""
        self._library = library

    def answer(self, message: Message) -> Reply:
        """Return the reply to a message; when the store fails, the reply without memory of the conversation."""
        started = time.perf_counter()
        reply = self._memory.given(message) or self._fresh(message)
        if self._counts is not None:
            self._counts.reply(message.channel, reply.kind, time.perf_counter() - started)
        return reply

    def explain(self, message: Message) -> list[str]:
        """Return, for staff, why a message would be answered as it is; nothing is kept."""
        library = self._library
        return explain(library.finder.explained(message.text[:MAX_READ]), library.knowledge)

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        """Keep what a person thought of a reply; False when there is no such turn."""
        return self._memory.rate(turn_id, useful, reason, at)

    def forget(self, channel: str, user: str) -> None:
        """Delete all that is kept of a person."""
        self._memory.forget(channel, user)

    def health(self) -> Health:
        """Return how the bot is; asks the store."""
        knowledge, memory = self.knowledge, self._memory
        fault = memory.check()
        return Health(fault, memory.waiting(), memory.lost, knowledge.version, len(knowledge.entries))

    def close(self) -> None:
        """Give the store's connections back."""
        self._memory.close()

    def _fresh(self, message: Message) -> Reply:
        try:
            return self._remembered(message)
        except AwayError:
            turn = self._turn(message, Conversation())
            self._leave(turn) if turn.reply.forget else self._memory.spool(turn)
            return turn.reply

    def _remembered(self, message: Message) -> Reply:
        """Gather, decide, apply; and again when another message of this person, or this one, got in between."""
        until = time.monotonic() + MOST_SECONDS
        for _ in range(MOST_TRIES):
            recall = self._memory.recall(message)
            if recall.reply is not None:
                return recall.reply
            turn = self._told(self._turn(message, recall.conversation), recall.conversation.told)
            if turn.reply.forget:
                return self._leave(turn)
            if self._memory.record(turn, recall.revision):
                return turn.reply
            if time.monotonic() > until:
                break
        raise AwayError("other messages of this person got in between")

    def _leave(self, turn: Turn) -> Reply:
        """Delete all that is kept of a person, this very message included."""
        self._memory.forget(turn.message.channel, turn.message.user)
        self._memory.give(turn.message, turn.reply)
        return turn.reply

    def _turn(self, message: Message, before: Conversation) -> Turn:
        library = self._library
        findings = library.finder.find(message.text[:MAX_READ], before.recent, before.measures)
        turn = decide(message, before, findings, library.knowledge)
        reply = replace(turn.reply, id=self._memory.turn_id(message), version=library.knowledge.version)
        return replace(turn, reply=reply)

    def _told(self, turn: Turn, told: bool) -> Turn:
        """Have the reply tell a new person what is kept, unless somebody is in danger: then the next one does.

        ``told`` is the store's word, for the dialogue forgets it with the rest of an old conversation.
        """
        notice = self.knowledge.smalltalk.get(NOTICE)
        if not told and notice and self._days and turn.reply.kind != "emergency" and not turn.reply.forget:
            turn = replace(turn, reply=_with_notice(turn.reply, notice.reply.replace("{days}", str(self._days))))
            told = True
        return replace(turn, conversation=replace(turn.conversation, told=told))


def _with_notice(reply: Reply, notice: str) -> Reply:
    """Return a reply with a line more at its end; a list stays beside the line that asks to pick from it."""
    lines = reply.body.split("\n")
    where = len(lines) - 1 if reply.kind == "choices" else len(lines)
    return replace(reply, body="\n".join([*lines[:where], notice, *lines[where:]]))
