"""Every turn, and where each conversation stands, in SQL: SQLite by default, PostgreSQL for several machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy.dialects import postgresql, sqlite

from bot.model import MAX_READ, Choice, Citation, Conversation, Message, Refer, Reply, Turn
from bot.storage.privacy import mask, pseudonym

BUSY_MILLISECONDS = 1500
"""How long a statement waits for another writer, or altogether: after it, the reply is given without memory."""

READS_ONLY = "bot_reads_only"
"""The execution option of a connection that writes nothing."""

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
    sa.Column("revision", sa.Integer),
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
        self.engine = _engine(url)
        self._upgraded = False
        self._upgrading = Lock()
        try:
            self._upgrade()
        except sa.exc.SQLAlchemyError:
            if not later:
                raise

    def recall(self, message: Message) -> Recall:
        """Return what is remembered of a message and of its person's conversation, without locking anything."""
        channel, person = message.channel, self._person(message.channel, message.user)
        with self._reading() as connection:
            where = (TURNS.c.channel == channel) & (TURNS.c.message_id == self._message_id(message))
            turn = connection.execute(sa.select(TURNS.c.reply).where(where)).first()
            mine = sa.select(CONVERSATIONS.c.state, CONVERSATIONS.c.revision).where(_of(CONVERSATIONS, channel, person))
            row = connection.execute(mine).first()
        return Recall(
            reply=None if turn is None else _reply(turn.reply),
            conversation=Conversation() if row is None else _conversation(row.state),
            revision=0 if row is None else row.revision,
        )

    def record(self, turn: Turn, revision: int) -> bool:
        """Keep a turn and the conversation after it, in one go; people's numbers are masked before they are written.

        False, and nothing kept, when the conversation has moved on from ``revision`` or the message has been answered:
        the caller recalls again. So the database is locked for the writes alone, never while a reply is thought about.
        """
        message, person = turn.message, self._person(turn.message.channel, turn.message.user)
        try:
            with self.engine.begin() as connection:
                if not self._move_on(connection, turn, person, revision):
                    return False
                connection.execute(TURNS.insert().values(self._turn_row(turn)))
        except sa.exc.IntegrityError:
            if self.recall(message).reply is None:
                raise
            return False
        return True

    def _move_on(self, connection: sa.Connection, turn: Turn, person: str, revision: int) -> bool:
        """Write the conversation after a turn if it is still at ``revision``; return whether it was."""
        channel, at = turn.message.channel, turn.message.sent_at
        values = {"state": _state(turn.conversation), "at": at, "revision": revision + 1}
        if revision == 0:
            insert = self._insert(CONVERSATIONS).values(channel=channel, person=person, **values)
            made = insert.on_conflict_do_nothing().returning(CONVERSATIONS.c.revision)
            return connection.execute(made).first() is not None
        mine = _of(CONVERSATIONS, channel, person) & (CONVERSATIONS.c.revision == revision)
        return bool(connection.execute(CONVERSATIONS.update().where(mine).values(values)).rowcount)

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        """Keep what a person thought of a reply, the last word counting; False when there is no such turn."""
        values = {"turn": turn_id, "useful": useful, "reason": mask(reason[:MAX_READ]), "at": at}
        with self.engine.begin() as connection:
            if connection.execute(sa.select(TURNS.c.id).where(TURNS.c.id == turn_id)).first() is None:
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
        with self.engine.begin() as connection:
            mine = sa.select(TURNS.c.id).where(_of(TURNS, channel, person))
            connection.execute(RATINGS.delete().where(RATINGS.c.turn.in_(mine)))
            connection.execute(CONVERSATIONS.delete().where(_of(CONVERSATIONS, channel, person)))
            return connection.execute(TURNS.delete().where(_of(TURNS, channel, person))).rowcount

    def turn_id(self, message: Message) -> str:
        """Return the id of the turn that answers a message: nobody can guess it, and it is always the same."""
        return pseudonym(self._secret, f"{message.channel} turn", message.id)

    def outline(self, turn: Turn) -> dict[str, Any]:
        """Return what ``record`` would write of a turn, masked, as JSON takes it: for keeping elsewhere meanwhile."""
        return {**self._turn_row(turn), "at": turn.message.sent_at.isoformat()}

    def farewell(self, channel: str, user: str) -> dict[str, Any]:
        """Return the wish of a person to be forgotten, as JSON takes it, under the name that is kept."""
        return {"channel": channel, "forget": self._person(channel, user)}

    def restore(self, outlines: Iterable[dict[str, Any]]) -> None:
        """Write turns kept elsewhere; those that are here already, and what is none of ours, are passed over."""
        ours = [row for row in outlines if row.keys() == set(TURNS.c.keys())]
        rows = [{**row, "at": datetime.fromisoformat(row["at"])} for row in ours]
        if rows:
            with self.engine.begin() as connection:
                connection.execute(self._insert(TURNS).on_conflict_do_nothing(), rows)

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
            "reply": asdict(turn.reply),
            "matches": [{"entry": match.entry, "score": round(match.score, 4)} for match in turn.matches],
        }

    @contextmanager
    def _unhurried(self) -> Iterator[sa.Connection]:
        """Open a transaction for work on the whole database, which may take as long as it takes."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("set local statement_timeout = 0"))
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that only reads: it waits for nobody."""
        self._make_ready()
        with self.engine.connect().execution_options(**{READS_ONLY: True}) as connection, connection.begin():
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
        config = AlembicConfig()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.set_main_option("path_separator", "os")
        with self._unhurried() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("select pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        self._upgraded = True


def _engine(url: str) -> sa.Engine:
    """Return the engine; the parameters of a statement, which a person wrote, are in no error's text."""
    return _file_engine(url) if url.startswith("sqlite") else _server_engine(url)


def _server_engine(url: str) -> sa.Engine:
    # Each of these covers a failure the others do not see: no route, a server that is slow, a cable that is out.
    patience = {"connect_timeout": 2, "tcp_user_timeout": 2000, "keepalives_idle": 5, "keepalives_interval": 2}
    pool = {"pool_pre_ping": True, "pool_size": 8, "pool_timeout": 1}
    engine = sa.create_engine(url, connect_args=patience, hide_parameters=True, **pool)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.execute(f"set statement_timeout = {BUSY_MILLISECONDS}")
        connection.commit()

    return engine


def _file_engine(url: str) -> sa.Engine:
    Path(sa.make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000}, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # pysqlite opens transactions late and as plain BEGIN; with that, eight simultaneous deliveries of one message
        # were seen to get different replies. So we say ourselves when and how a transaction begins.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MILLISECONDS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        reads_only = connection.get_execution_options().get(READS_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def _of(table: sa.Table, channel: str, person: str) -> sa.ColumnElement[bool]:
    return (table.c.channel == channel) & (table.c.person == person)


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
