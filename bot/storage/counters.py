"""Numbers that several processes share and that may be lost: hits of a rate limit, who does today's cleaning."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from limits.storage import MemoryStorage, Storage

from bot.storage.patience import Patience

Result = TypeVar("Result")

SCHEME = "bot+counters"
"""How the library ``limits`` is told to count here: ``bot+counters:`` and the database's address."""

WAIT_SECONDS = 0.5
"""How long a request waits for its count; then each process counts for itself."""

PAUSE_SECONDS = 5.0
"""After a fault each process counts for itself for so long."""

CALLS_AT_ONCE = 4

SWEEP = 1000
"""After so many hits of a process, what has run out is deleted."""

MAKE = (
    "create {kind} table if not exists counters (key text primary key, count bigint not null, until double precision not null)"
)
ENDED = "(counters.until <= :now or counters.until > excluded.until + 5)"
"""A window that has run out, or one begun before a clock was set back; two machines' clocks may differ by a little."""

HIT = sa.text(
    "insert into counters (key, count, until) values (:key, :amount, :until) on conflict (key) do update set"  # noqa: S608
    f" count = case when {ENDED} then excluded.count else counters.count + excluded.count end,"
    f" until = case when {ENDED} then excluded.until else counters.until end returning count"
)
GET = sa.text("select count as hits, until from counters where key = :key and until > :now")
CLEAR = sa.text("delete from counters where key = :key")
EXPIRE = sa.text("delete from counters where until <= :now")
EMPTY = sa.text("delete from counters")


class Counters:
    """Counters by key, each with its end; a SQLite file beside the store's or an unlogged table of PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._engine = _file_engine(url) if url.startswith("sqlite") else _server_engine(url)
        self._patience = Patience(WAIT_SECONDS, CALLS_AT_ONCE)
        self._made = False
        self._hits = 0

    def hit(self, key: str, seconds: float, amount: int = 1) -> int:
        """Add to a counter that ends so long after its first hit; return what it has now.

        Raises SQLAlchemyError or TimeoutError.
        """
        now = time.time()
        return self._asked(lambda: self._hit({"key": key, "amount": amount, "now": now, "until": now + seconds}))

    def get(self, key: str) -> tuple[int, float]:
        """Return what a counter has and when it ends, as seconds since 1970; 0 and now when it has ended."""
        now = time.time()
        row = self._asked(lambda: self._row({"key": key, "now": now}))
        return (0, now) if row is None else (int(row.hits), float(row.until))

    def clear(self, key: str | None = None) -> None:
        """Begin a counter anew, or all."""
        with self._transaction() as connection:
            connection.execute(EMPTY if key is None else CLEAR, {"key": key} if key else {})

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _hit(self, values: dict[str, Any]) -> int:
        with self._transaction() as connection:
            self._hits += 1
            if self._hits % SWEEP == 0:
                connection.execute(EXPIRE, values)
            return int(connection.execute(HIT, values).scalar_one())

    def _row(self, values: dict[str, Any]) -> sa.Row[Any] | None:
        with self._transaction() as connection:
            row: sa.Row[Any] | None = connection.execute(GET, values).first()
        return row

    def _asked(self, ask: Callable[[], Result]) -> Result:
        """Return what the database says; a file gives up by itself, a server need not."""
        return ask() if self._engine.dialect.name == "sqlite" else self._patience.call(ask)

    def _transaction(self) -> Any:
        if not self._made:
            self._make()
        return self._engine.begin()

    def _make(self) -> None:
        kind = "" if self._engine.dialect.name == "sqlite" else "unlogged"
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.text(MAKE.format(kind=kind)))
        except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
            pass  # "if not exists" of PostgreSQL does not hold for two who make it at the same instant
        self._made = True


class SharedLimits(Storage):
    """Counters as the library ``limits`` wants them, for its fixed windows; while they fail, each process counts alone."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the library reads it so

    def __init__(self, uri: str, wrap_exceptions: bool = False, **_options: Any) -> None:
        super().__init__(uri, wrap_exceptions)
        self._counters = Counters(uri.removeprefix(f"{SCHEME}://"))
        self._alone = MemoryStorage()
        self._away_until = 0.0

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What the library may take for a fault of ours: nothing, for none gets out."""
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count a hit."""
        return self._shared(lambda: self._counters.hit(key, expiry, amount), lambda: self._alone.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """Return the hits."""
        return self._shared(lambda: self._counters.get(key)[0], lambda: self._alone.get(key))

    def get_expiry(self, key: str) -> float:
        """Return when the window ends."""
        return self._shared(lambda: self._counters.get(key)[1], lambda: self._alone.get_expiry(key))

    def check(self) -> bool:
        """Return whether counting works, which it does in any case."""
        return True

    def reset(self) -> None:
        """Forget all hits."""
        self._shared(self._counters.clear, lambda: None)
        self._alone.reset()

    def clear(self, key: str) -> None:
        """Forget the hits of one key."""
        self._shared(lambda: self._counters.clear(key), lambda: None)
        self._alone.clear(key)

    def _shared(self, together: Callable[[], Result], alone: Callable[[], Result]) -> Result:
        """Return what is counted together or, for a while after that failed, alone."""
        if time.monotonic() < self._away_until:
            return alone()
        try:
            return together()
        except (sa.exc.SQLAlchemyError, TimeoutError, OSError):
            self._away_until = time.monotonic() + PAUSE_SECONDS
            return alone()


def counters_url(database: str, folder: Path) -> str:
    """Return where to count for a store: in a file of its own, where no writer is waited for, or in its database."""
    return f"sqlite:///{folder / 'counters.db'}" if database.startswith("sqlite") else database


def _server_engine(url: str) -> sa.Engine:
    patience = {"connect_timeout": 1, "tcp_user_timeout": 1000}
    engine = sa.create_engine(url, connect_args=patience, pool_size=4, pool_timeout=1)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # Nobody minds a count that a crash loses, everybody a wait.
        connection.execute("set statement_timeout = 500; set synchronous_commit = off")
        connection.commit()

    return engine


def _file_engine(url: str) -> sa.Engine:
    # Each statement is a transaction of its own: nothing here belongs together.
    engine = sa.create_engine(url, connect_args={"timeout": 0.5, "isolation_level": None})

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
