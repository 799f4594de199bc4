"""How the database is reached: SQLite or PostgreSQL, each with its bounded waits, and who may write when."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, cast

import sqlalchemy as sa
from pydantic_core import PydanticSerializationError, from_json, to_json

BUSY_MILLISECONDS = 1500
"""How long a statement waits for another writer, or altogether: after it, the reply is given without memory."""

GLANCE_MILLISECONDS = 1
"""How often a process that wants to write looks whether the file is free."""

CHECKPOINT_PAGES = 16_000
"""From so many pages on (64 MB) of log the writers themselves bring them into the file, should nobody else do."""

READS_ONLY = "bot_reads_only"
"""The execution option of a connection that reads, in one statement and so without a transaction of its own."""


class Database:
    """A database's connections; safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Take a database's address; nothing is opened yet. A statement's parameters, a person's words, are in no error."""
        file = url.startswith("sqlite")
        self.pool = _file_pool(url) if file else _server_pool(url)
        self._reading = self.pool.execution_options(**({READS_ONLY: True} if file else {"isolation_level": "AUTOCOMMIT"}))
        self._turn = Lock() if file else None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection for one statement that only reads: it waits for nobody."""
        with self._reading.connect() as connection:
            yield connection

    def tidy(self) -> None:
        """Bring what a file's log holds into the file, in nobody's way; while it waits for the disk, others write on.

        A writer whose commit does this has everybody behind it wait for the disk as well.
        """
        if self._turn is not None:
            with self.reading() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes; raises TimeoutError when it does not get its turn.

        The threads of a process queue here: left to SQLite they would sleep, the longer the more often they failed.
        """
        if self._turn is None:
            with self.pool.begin() as connection:
                yield connection
            return
        if not self._turn.acquire(timeout=BUSY_MILLISECONDS / 1000):
            raise TimeoutError("others write without end")
        try:
            with self.pool.begin() as connection:
                yield connection
        finally:
            self._turn.release()


def as_json(value: object) -> str:
    """Return anything of ours, frozen dataclasses too, as JSON; lone surrogates, which no database takes, are left out."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return json.dumps(value, default=_plain, ensure_ascii=False).encode("utf-8", "ignore").decode()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else asdict(cast("Any", value))


JSON: dict[str, Any] = {"json_serializer": as_json, "json_deserializer": from_json}
"""How an engine writes and reads JSON columns."""


def _server_pool(url: str) -> sa.Engine:
    # Each of these covers a failure the others do not see: no route, a server that is slow, a cable that is out.
    patience = {"connect_timeout": 2, "tcp_user_timeout": 2000, "keepalives_idle": 5, "keepalives_interval": 2}
    pool = {"pool_pre_ping": True, "pool_size": 8, "pool_timeout": 1}
    engine = sa.create_engine(url, connect_args=patience, hide_parameters=True, **pool, **JSON)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.execute(f"set statement_timeout = {BUSY_MILLISECONDS}")
        connection.commit()

    return engine


def _file_pool(url: str) -> sa.Engine:
    Path(sa.make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    wait = {"timeout": BUSY_MILLISECONDS / 1000}
    engine = sa.create_engine(url, connect_args=wait, hide_parameters=True, **JSON)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        # pysqlite opens transactions late and as plain BEGIN; with that, eight simultaneous deliveries of one message
        # were seen to get different replies. So we say ourselves when and how a transaction begins.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MILLISECONDS}",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        if not connection.get_execution_options().get(READS_ONLY, False):
            _begin_writing(cast("sqlite3.Connection", connection.connection.driver_connection))

    return engine


def _begin_writing(file: sqlite3.Connection) -> None:
    """Begin a transaction when no other process writes; raises OperationalError after ``BUSY_MILLISECONDS``.

    SQLite's own wait sleeps ever longer, up to a tenth of a second: one message in a hundred would feel it.
    """
    until = time.monotonic() + BUSY_MILLISECONDS / 1000
    file.execute(f"PRAGMA busy_timeout={GLANCE_MILLISECONDS}")
    try:
        while not _begun(file, last=time.monotonic() > until):
            pass
    finally:
        file.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")


def _begun(file: sqlite3.Connection, last: bool) -> bool:
    try:
        file.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise sa.exc.OperationalError("BEGIN IMMEDIATE", None, error) from None
        return False
    return True
