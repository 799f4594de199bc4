"""The one door: what every channel and script calls with a message. Gather, decide, apply."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.catalogue import Knowledge
from bot.dialogue import decide
from bot.explaining import explain
from bot.matching import Finder
from bot.model import MAX_READ, Conversation, Message, Reply, Turn
from bot.store import Store

log = structlog.get_logger()

MOST_TRIES = 50
"""How often a person's own messages may overtake one of them before it is answered without memory."""


@dataclass(frozen=True, slots=True)
class Library:
    """A knowledge base and the finder made from it: they change together, in one assignment."""

    knowledge: Knowledge
    finder: Finder


class Bot:
    """Answers messages; safe to share between threads."""

    def __init__(self, library: Library, store: Store) -> None:
        self._library = library
        self._store = store

    @property
    def knowledge(self) -> Knowledge:
        """The knowledge base that answers now."""
        return self._library.knowledge

    def exchange(self, library: Library) -> None:
        """Answer from another knowledge base from the next message on."""
        self._library = library

    def answer(self, message: Message) -> Reply:
        """Return the reply to a message; when the store fails, the reply without memory of the conversation."""
        try:
            return self._remembered(message)
        except (SQLAlchemyError, TimeoutError) as error:
            log.error("store_failed", error=type(error).__name__)
            return self._turn(message, Conversation()).reply

    def explain(self, message: Message) -> list[str]:
        """Return, for staff, why a message would be answered as it is; nothing is kept."""
        library = self._library
        return explain(library.finder.find(message.text[:MAX_READ]), library.knowledge)

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        """Keep what a person thought of a reply; False when there is no such turn."""
        return self._store.rate(turn_id, useful, reason, at)

    def forget(self, channel: str, user: str) -> None:
        """Delete all that is kept of a person."""
        self._store.forget(channel, user)

    def close(self) -> None:
        """Give the store's connections back."""
        self._store.close()

    def _remembered(self, message: Message) -> Reply:
        """Gather, decide, apply; and again when another message of this person, or this one, got in between."""
        for _ in range(MOST_TRIES):
            recall = self._store.recall(message)
            if recall.reply is not None:
                return recall.reply
            turn = self._turn(message, recall.conversation)
            if self._store.record(turn, recall.revision):
                return turn.reply
        raise TimeoutError(f"{MOST_TRIES} other messages of this person got in between")

    def _turn(self, message: Message, before: Conversation) -> Turn:
        library = self._library
        findings = library.finder.find(message.text[:MAX_READ], before.recent, before.measures)
        turn = decide(message, before, findings, library.knowledge)
        reply = replace(turn.reply, id=uuid.uuid4().hex, version=library.knowledge.version)
        return replace(turn, reply=reply)
