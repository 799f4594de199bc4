"""Every turn, and where each conversation stands, in SQL: SQLite by default, PostgreSQL for several machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy.dialects import postgresql, sqlite

from bot.model import Choice, Citation, Conversation, Message, Refer, Reply, Turn
from bot.privacy import mask, pseudonym

BUSY_MILLISECONDS = 3000
"""How long a writer waits for another: well inside WeChat's five seconds."""

MIGRATION_LOCK = 0x59756E66
"""PostgreSQL's advisory lock number for bringing the schema up to date (any fixed number will do)."""

METADATA = sa.MetaData()
TURNS = sa.Table(
    "turns",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("channel", sa.String(16)),
    sa.Column("message_id", sa.String(200)),
    sa.Column("person", sa.String(32)),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("question", sa.Text),
    sa.Column("kind", sa.String(16)),
    sa.Column("entry", sa.String(100)),
    sa.Column("score", sa.Float),
    sa.Column("version", sa.String(16)),
    sa.Column("reply", sa.JSON),
    sa.Column("matches", sa.JSON),
)
CONVERSATIONS = sa.Table(
    "conversations",
    METADATA,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("person", sa.String(32), primary_key=True),
    sa.Column("state", sa.JSON),
    sa.Column("at", sa.DateTime(timezone=True)),
)
RATINGS = sa.Table(
    "ratings",
    METADATA,
    sa.Column("turn", sa.String(32), primary_key=True),
    sa.Column("useful", sa.Boolean),
    sa.Column("reason", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
)


class Transaction:
    """One message's stretch of work: nobody else changes this person's conversation until it ends."""

    def __init__(self, connection: sa.Connection, message: Message, person: str) -> None:
        self._connection = connection
        self._message = message
        self._person = person

    def earlier_reply(self) -> Reply | None:
        """Return the reply that this very message got before, None when it is new."""
        where = (TURNS.c.channel == self._message.channel) & (TURNS.c.message_id == _clean(self._message.id))
        row = self._connection.execute(sa.select(TURNS.c.reply).where(where)).first()
        return None if row is None else _reply(row.reply)

    def conversation(self) -> Conversation:
        """Return where this person's conversation stands."""
        row = self._connection.execute(sa.select(CONVERSATIONS.c.state).where(self._mine())).first()
        return _conversation(row.state) if row is not None and row.state else Conversation()

    def record(self, turn: Turn) -> None:
        """Keep the turn and the conversation after it; people's numbers are masked before they are written."""
        self._connection.execute(
            TURNS.insert().values(
                id=turn.reply.id,
                channel=turn.message.channel,
                message_id=_clean(turn.message.id),
                person=self._person,
                at=turn.message.sent_at,
                question=mask(turn.message.text),
                kind=turn.reply.kind,
                entry=turn.reply.entry,
                score=turn.reply.score,
                version=turn.reply.version,
                reply=asdict(turn.reply),
                matches=[{"entry": match.entry, "score": round(match.score, 4)} for match in turn.matches],
            )
        )
        state = _state(turn.conversation)
        self._connection.execute(CONVERSATIONS.update().where(self._mine()).values(state=state, at=turn.message.sent_at))

    def _mine(self) -> sa.ColumnElement[bool]:
        return (CONVERSATIONS.c.channel == self._message.channel) & (CONVERSATIONS.c.person == self._person)


class Store:
    """The database, with its schema up to date; safe to share between threads, one a process."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._secret = secret
        self.engine = _engine(url)
        self._upgrade()

    @contextmanager
    def transaction(self, message: Message) -> Iterator[Transaction]:
        """Open the transaction of one message; messages of one person queue up behind one another."""
        person = pseudonym(self._secret, message.channel, message.user)
        with self.engine.begin() as connection:
            self._claim(connection, message, person)
            yield Transaction(connection, message, person)

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        """Keep what a person thought of a reply, the last word counting; False when there is no such turn."""
        values = {"turn": turn_id, "useful": useful, "reason": mask(reason), "at": at}
        with self.engine.begin() as connection:
            if connection.execute(sa.select(TURNS.c.id).where(TURNS.c.id == turn_id)).first() is None:
                return False
            insert = self._insert(RATINGS).values(values)
            changed = {name: values[name] for name in ("useful", "reason", "at")}
            connection.execute(insert.on_conflict_do_update(index_elements=["turn"], set_=changed))
            return True

    def forget(self, channel: str, user: str) -> int:
        """Delete everything of one person; return how many turns there were."""
        person = pseudonym(self._secret, channel, user)
        with self.engine.begin() as connection:
            mine = sa.select(TURNS.c.id).where((TURNS.c.channel == channel) & (TURNS.c.person == person))
            connection.execute(RATINGS.delete().where(RATINGS.c.turn.in_(mine)))
            theirs = (CONVERSATIONS.c.channel == channel) & (CONVERSATIONS.c.person == person)
            connection.execute(CONVERSATIONS.delete().where(theirs))
            gone = connection.execute(TURNS.delete().where((TURNS.c.channel == channel) & (TURNS.c.person == person)))
            return gone.rowcount

    def purge(self, before: datetime) -> int:
        """Delete turns and conversations older than a moment; return how many turns there were."""
        with self.engine.begin() as connection:
            old = sa.select(TURNS.c.id).where(TURNS.c.at < before)
            connection.execute(RATINGS.delete().where(RATINGS.c.turn.in_(old)))
            connection.execute(CONVERSATIONS.delete().where(CONVERSATIONS.c.at < before))
            return connection.execute(TURNS.delete().where(TURNS.c.at < before)).rowcount

    def ping(self) -> None:
        """Raise SQLAlchemyError when the database cannot be reached."""
        with self.engine.connect() as connection:
            connection.execute(sa.text("select 1"))

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def _claim(self, connection: sa.Connection, message: Message, person: str) -> None:
        """Make this person's row if it is missing, and lock it: a second message at the same instant waits here."""
        values = {"channel": message.channel, "person": person, "state": {}, "at": message.sent_at}
        connection.execute(self._insert(CONVERSATIONS).values(values).on_conflict_do_nothing())
        if connection.dialect.name == "postgresql":
            mine = (CONVERSATIONS.c.channel == message.channel) & (CONVERSATIONS.c.person == person)
            connection.execute(sa.select(CONVERSATIONS.c.person).where(mine).with_for_update())

    def _insert(self, table: sa.Table) -> Any:
        """Return an INSERT that knows ON CONFLICT, which each dialect keeps in a place of its own."""
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)

    def _upgrade(self) -> None:
        """Bring the schema up to date; several workers starting at once take turns."""
        config = AlembicConfig()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.set_main_option("path_separator", "os")
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("select pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=8, pool_timeout=3, connect_args={"connect_timeout": 3})
    Path(sa.make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000})

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # pysqlite opens transactions late and as plain BEGIN; with that, eight simultaneous deliveries of one message
        # were seen to get different replies. So we say ourselves when and how a transaction begins.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_MILLISECONDS}"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _clean(message_id: str) -> str:
    """Return a message id as a database takes it: no NUL or lone surrogate, at most 200 characters."""
    return message_id.encode("utf-8", "replace").decode().replace("\0", "")[:200]


def _state(conversation: Conversation) -> dict[str, Any]:
    state = asdict(conversation)
    state["last_at"] = conversation.last_at.isoformat() if conversation.last_at else None
    return state


def _conversation(state: dict[str, Any]) -> Conversation:
    last_at = state["last_at"]
    return Conversation(
        **{
            **state,
            "recent": tuple(state["recent"]),
            "choices": tuple(map(_choice, state["choices"])),
            "last_at": datetime.fromisoformat(last_at).astimezone(UTC) if last_at else None,
        }
    )


def _choice(value: dict[str, Any]) -> Choice:
    return Choice(**{**value, "measures": tuple(value["measures"]), "words": tuple(value["words"])})


def _reply(value: dict[str, Any]) -> Reply:
    return Reply(
        **{
            **value,
            "measures": tuple(value["measures"]),
            "office": tuple(value["office"]),
            "sources": tuple(Citation(**source) for source in value["sources"]),
            "choices": tuple(map(_choice, value["choices"])),
            "refer": Refer(**value["refer"]) if value["refer"] else None,
        }
    )
