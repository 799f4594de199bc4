"""Every turn, and where each conversation stands, in SQL: SQLite by default, PostgreSQL for several machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python
from sqlalchemy.dialects import postgresql, sqlite

from bot.model import MAX_READ, Conversation, Message, Reply, Turn
from bot.storage.engines import Database
from bot.storage.privacy import mask, pseudonym
from bot.storage.schema import upgrade
from bot.storage.tables import CONVERSATIONS, RATINGS, TURNS

REPLY = TypeAdapter(Reply)
CONVERSATION = TypeAdapter(Conversation)

# Built once, with their values left open: to build a statement takes longer than to run it.
_MINE = (CONVERSATIONS.c.channel == sa.bindparam("its_channel")) & (CONVERSATIONS.c.person == sa.bindparam("its_person"))
_THIS = (TURNS.c.channel == sa.bindparam("its_channel")) & (TURNS.c.message_id == sa.bindparam("its_message"))
RECALL = sa.select(
    sa.select(TURNS.c.reply).where(_THIS).scalar_subquery().label("reply"),
    sa.select(CONVERSATIONS.c.state).where(_MINE).scalar_subquery().label("state"),
    sa.select(CONVERSATIONS.c.revision).where(_MINE).scalar_subquery().label("revision"),
)
"""One statement, so that what it says of message and conversation belongs together."""

GO_ON = CONVERSATIONS.update().where(_MINE & (CONVERSATIONS.c.revision == sa.bindparam("its_revision")))
KEEP = TURNS.insert()


@dataclass(frozen=True, slots=True)
class Recall:
    """What is remembered when a message comes in.

    ``reply`` is the one that this very message got before, None when it is new. ``revision`` counts the turns of the
    conversation; whoever records a turn must still find it unchanged.
    """

    reply: Reply | None
    conversation: Conversation
    revision: int


class Store:
    """The database, with its schema up to date; safe to share between threads, one a process.

    Raises SQLAlchemyError when there is none to be had; ``later`` lets that pass, and the first call that finds it
    again brings the schema up to date.
    """

    def __init__(self, url: str, secret: bytes, later: bool = False) -> None:
        self._secret = secret
        self._database = Database(url)
        self.engine = self._database.pool
        self._begin = self._insert(CONVERSATIONS).on_conflict_do_nothing().returning(CONVERSATIONS.c.revision)
        self._upgraded = False
        self._upgrading = Lock()
        try:
            self._upgrade()
        except sa.exc.SQLAlchemyError:
            if not later:
                raise

    def recall(self, message: Message) -> Recall:
        """Return what is remembered of a message and of its person's conversation, without locking anything."""
        self._make_ready()
        person = self._person(message.channel, message.user)
        its = {"its_channel": message.channel, "its_person": person, "its_message": self._message_id(message)}
        with self._database.reading() as connection:
            row = connection.execute(RECALL, its).one()
        return Recall(
            reply=None if row.reply is None else REPLY.validate_python(row.reply),
            conversation=Conversation() if row.state is None else CONVERSATION.validate_python(row.state),
            revision=row.revision or 0,
        )

    def record(self, turn: Turn, revision: int) -> bool:
        """Keep a turn and the conversation after it, in one go; people's numbers are masked before they are written.

        False, and nothing kept, when the conversation has moved on from ``revision`` or the message has been answered:
        the caller recalls again. So the database is locked for the writes alone, never while a reply is thought about.
        """
        message, person = turn.message, self._person(turn.message.channel, turn.message.user)
        row = self._turn_row(turn)  # before the database is locked: masking takes its time
        try:
            with self._database.writing() as connection:
                if not self._move_on(connection, turn, person, revision):
                    return False
                connection.execute(KEEP, row)
        except sa.exc.IntegrityError:
            if self.recall(message).reply is None:
                raise
            return False
        return True

    def _move_on(self, connection: sa.Connection, turn: Turn, person: str, revision: int) -> bool:
        """Write the conversation after a turn if it is still at ``revision``; return whether it was."""
        channel, at = turn.message.channel, turn.message.sent_at
        values = {"state": turn.conversation, "at": at, "revision": revision + 1}
        if revision == 0:
            return connection.execute(self._begin, {"channel": channel, "person": person, **values}).first() is not None
        its = {"its_channel": channel, "its_person": person, "its_revision": revision}
        return bool(connection.execute(GO_ON, its | values).rowcount)

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        """Keep what a person thought of a reply, the last word counting; False when there is no such turn."""
        with self._database.writing() as connection:
            return self._rate(connection, {"turn": turn_id, "useful": useful, "reason": mask(reason[:MAX_READ]), "at": at})

    def _rate(self, connection: sa.Connection, values: dict[str, Any]) -> bool:
        if connection.execute(sa.select(TURNS.c.id).where(TURNS.c.id == values["turn"])).first() is None:
            return False
        insert = self._insert(RATINGS).values(values)
        changed = {name: values[name] for name in ("useful", "reason", "at")}
        connection.execute(insert.on_conflict_do_update(index_elements=["turn"], set_=changed))
        return True

    def forget(self, channel: str, user: str) -> int:
        """Delete everything of one person; return how many turns there were."""
        return self.forget_pseudonym(channel, self._person(channel, user))

    def forget_pseudonym(self, channel: str, person: str) -> int:
        """Delete everything of one person by the only name that is kept; return how many turns there were."""
        with self._database.writing() as connection:
            mine = sa.select(TURNS.c.id).where(_of(TURNS, channel, person))
            connection.execute(RATINGS.delete().where(RATINGS.c.turn.in_(mine)))
            connection.execute(CONVERSATIONS.delete().where(_of(CONVERSATIONS, channel, person)))
            return connection.execute(TURNS.delete().where(_of(TURNS, channel, person))).rowcount

    def turn_id(self, message: Message) -> str:
        """Return the id of the turn that answers a message: nobody can guess it, and it is always the same."""
        return pseudonym(self._secret, f"{message.channel} turn", message.id)

    def outline(self, turn: Turn) -> dict[str, Any]:
        """Return what ``record`` would write of a turn, masked, as JSON takes it: for keeping elsewhere meanwhile."""
        row: dict[str, Any] = to_jsonable_python(self._turn_row(turn))
        return row

    def farewell(self, channel: str, user: str) -> dict[str, Any]:
        """Return the wish of a person to be forgotten, as JSON takes it, under the name that is kept."""
        return {"channel": channel, "forget": self._person(channel, user)}

    def restore(self, outlines: Iterable[dict[str, Any]]) -> None:
        """Write turns kept elsewhere; those that are here already, and what is none of ours, are passed over."""
        ours = [row for row in outlines if row.keys() == set(TURNS.c.keys())]
        rows = [{**row, "at": datetime.fromisoformat(row["at"])} for row in ours]
        if rows:
            with self._database.writing() as connection:
                connection.execute(self._insert(TURNS).on_conflict_do_nothing(), rows)

    def opinion(self, turn_id: str, useful: bool, reason: str, at: datetime) -> dict[str, Any]:
        """Return what ``rate`` would write, masked, as JSON takes it: for keeping elsewhere meanwhile."""
        return {"turn": turn_id, "useful": useful, "reason": mask(reason[:MAX_READ]), "at": at.isoformat()}

    def restore_opinions(self, opinions: Iterable[dict[str, Any]]) -> None:
        """Write ratings kept elsewhere, in their order; those of turns that are not here are passed over."""
        with self._database.writing() as connection:
            for row in opinions:
                self._rate(connection, {**row, "at": datetime.fromisoformat(row["at"])})

    def purge(self, before: datetime) -> int:
        """Delete turns and conversations older than a moment; return how many turns there were."""
        with self._unhurried() as connection:
            old = sa.select(TURNS.c.id).where(TURNS.c.at < before)
            connection.execute(RATINGS.delete().where(RATINGS.c.turn.in_(old)))
            connection.execute(CONVERSATIONS.delete().where(CONVERSATIONS.c.at < before))
            return connection.execute(TURNS.delete().where(TURNS.c.at < before)).rowcount

    def ping(self) -> None:
        """Raise SQLAlchemyError when the database cannot be reached or used."""
        self._make_ready()
        with self.engine.connect() as connection:
            connection.execute(sa.text("select 1"))

    def tidy(self) -> None:
        """Do what the database leaves to quiet moments."""
        self._database.tidy()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @property
    def is_file(self) -> bool:
        """Whether the database is a file of this machine, which gives up by itself when it cannot be had."""
        return self.engine.dialect.name == "sqlite"

    def _person(self, channel: str, user: str) -> str:
        return pseudonym(self._secret, channel, user)

    def _message_id(self, message: Message) -> str:
        """Return what a redelivery is known by: hashed too, for a channel's id has the person's name in it."""
        return pseudonym(self._secret, f"{message.channel} message", message.id)

    def _turn_row(self, turn: Turn) -> dict[str, Any]:
        return {
            "id": turn.reply.id,
            "channel": turn.message.channel,
            "message_id": self._message_id(turn.message),
            "person": self._person(turn.message.channel, turn.message.user),
            "at": turn.message.sent_at,
            "question": mask(turn.message.text[:MAX_READ]),  # what is not read is not kept either
            "kind": turn.reply.kind,
            "entry": turn.reply.entry,
            "score": turn.reply.score,
            "version": turn.reply.version,
            "reply": turn.reply,
            "matches": [{"entry": match.entry, "score": round(match.score, 4)} for match in turn.matches],
        }

    @contextmanager
    def _unhurried(self) -> Iterator[sa.Connection]:
        """Open a transaction for work on the whole database, which may take as long as it takes."""
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("set local statement_timeout = 0"))
            yield connection

    def _insert(self, table: sa.Table) -> Any:
        """Return an INSERT that knows ON CONFLICT, which each dialect keeps in a place of its own."""
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)

    def _make_ready(self) -> None:
        """Bring the schema up to date where that could not be done at the start."""
        if not self._upgraded:
            with self._upgrading:
                if not self._upgraded:
                    self._upgrade()

    def _upgrade(self) -> None:
        """Bring the schema up to date; several workers starting at once take turns."""
        with self._unhurried() as connection:
            upgrade(connection)
        self._upgraded = True


def _of(table: sa.Table, channel: str, person: str) -> sa.ColumnElement[bool]:
    return (table.c.channel == channel) & (table.c.person == person)
