"""The doors: each turns its medium into ``Message`` and a ``Reply`` back, and knows no more of the bot than ``Desk``."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.catalogue import Knowledge
from bot.model import Message, Reply


class Desk(Protocol):
    """What a channel is handed: the one door for questions, what to show on pages, and two commands."""

    def answer(self, message: Message) -> Reply:
        """Return the reply to a message; the same reply when it is delivered again. Never raises for a store's fault."""
        ...

    @property
    def knowledge(self) -> Knowledge:
        """The knowledge base as it stands now, read-only; it may be another one at the next call."""
        ...

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        """Keep what a person thought of a reply; False when there is no such turn."""
        ...

    def forget(self, channel: str, user: str) -> None:
        """Delete all that is kept of a person."""
        ...
