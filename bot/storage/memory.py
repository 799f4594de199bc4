"""Stands between the bot and its store so that no fault of the store keeps a person waiting: bounded waits, a pause
after a fault, a spool for what could not be written, and the replies given meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import TypeVar

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from bot.model import Message, Reply, Turn
from bot.storage.patience import Patience
from bot.storage.spool import Row, Spool
from bot.storage.store import Recall, Store

Result = TypeVar("Result")

WAIT_SECONDS = 2.0
"""How long a person waits for a store that hangs; the reply without memory takes milliseconds more."""

PAUSE_SECONDS = 1.0
"""After a fault nobody tries the store for so long; then one person's message does."""

LOG_SECONDS = 60.0
"""A fault that lasts is logged once in so long."""

MOST_RECENT = 1000
"""So many replies given without the store are kept in the process, for redeliveries."""

CALLS_AT_ONCE = 16
"""Threads that may wait for a store that hangs."""

BATCH = 100
"""Rows written back in one transaction: other writers wait for no more than these."""

log = structlog.get_logger()


class AwayError(Exception):
    """The store cannot be asked now."""


class Memory:
    """The store behind its guard; safe to share between threads. Without a spool, what cannot be written is lost."""

    def __init__(self, store: Store, spool: Spool | None = None, count: Callable[[str], None] | None = None) -> None:
        self._store = store
        self._spool = spool
        self._count = count
        # SQLite gives up by itself; a PostgreSQL that is stopped, or a network that swallows, never does.
        self._patience = None if store.is_file else Patience(WAIT_SECONDS, CALLS_AT_ONCE)
        self._lock = threading.Lock()
        self._recent: OrderedDict[tuple[str, str], tuple[str, Reply]] = OrderedDict()
        self._away_until = 0.0
        self._logged = -LOG_SECONDS
        self.fault = ""
        self._unwritten = (-LOG_SECONDS, "")
        self.counts: Counter[str] = Counter()

    def turn_id(self, message: Message) -> str:
        """Return the id of the turn that answers a message, the same whether the store takes it or it is kept meanwhile.

        A store that is cut off in the middle may have taken the turn without our hearing of it.
        """
        return self._store.turn_id(message)

    def recall(self, message: Message) -> Recall:
        """Return what is remembered; raises AwayError."""
        return self._asked(lambda: self._store.recall(message))

    def record(self, turn: Turn, revision: int) -> bool:
        """Keep a turn, as ``Store.record`` does; raises AwayError."""
        return self._asked(lambda: self._store.record(turn, revision), writing=True)

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        """Keep what a person thought of a reply, now or when the store is back; False when there is no such turn."""
        try:
            if self._asked(lambda: self._store.rate(turn_id, useful, reason, at), writing=True):
                return True
            if self._spool is None or not self._spool.waiting():
                return False
        except AwayError:
            pass
        # The turn may wait on disk itself, so nobody can say that there is none.
        return self._keep(self._store.opinion(turn_id, useful, reason, at))

    def forget(self, channel: str, user: str) -> None:
        """Delete all of a person: now, or when the store is back."""
        with self._lock:
            for key in [key for key, (whose, _) in self._recent.items() if key[0] == channel and whose == user]:
                del self._recent[key]
        if self._spool is not None and self._spool.waiting():
            self._spool.add(self._store.farewell(channel, user))  # what waits would come back after the deletion
        try:
            self._asked(lambda: self._store.forget(channel, user), writing=True)
        except AwayError:
            self._keep(self._store.farewell(channel, user))

    def given(self, message: Message) -> Reply | None:
        """Return the reply that this message got while the store was away; None when it got none here."""
        found = self._recent.get((message.channel, message.id))
        return None if found is None else found[1]

    def give(self, message: Message, reply: Reply) -> None:
        """Keep a reply for redeliveries, in this process alone."""
        with self._lock:
            self._recent[message.channel, message.id] = (message.user, reply)
            while len(self._recent) > MOST_RECENT:
                self._recent.popitem(last=False)

    def spool(self, turn: Turn) -> None:
        """Keep a turn that the store could not take, on disk and for redeliveries."""
        self.give(turn.message, turn.reply)
        self._keep(self._store.outline(turn))

    def replay(self) -> int:
        """Write what waits into the store and return how many rows that were; after AwayError they wait on."""
        if self._spool is None or not self._spool.waiting():
            return 0
        with self._spool.taken() as rows:
            count = self._restore(rows)
        if count:
            log.info("spool_replayed", rows=count)
        return count

    def check(self) -> str:
        """Return why the store cannot be asked or written, empty when it can.

        A full disk can be read: then what the last write met counts, until one succeeds or nobody has written for a minute.
        """
        try:
            self._asked(self._store.ping, probing=True)
        except AwayError as error:
            return str(error)
        failed, fault = self._unwritten
        return fault if time.monotonic() - failed < LOG_SECONDS else ""

    def waiting(self) -> int:
        """Return how many turns wait for the store."""
        return self._spool.count() if self._spool is not None else 0

    @property
    def lost(self) -> int:
        """How many turns this process could keep nowhere."""
        return self.counts["lost"]

    def close(self) -> None:
        """Give the store's connections back."""
        self._store.close()

    def _restore(self, rows: Iterator[Row]) -> int:
        """Write rows back: turns, then what was thought of them; who asked to be forgotten is, after all of them."""
        count, later = 0, list[Row]()
        self._asked(self._store.ping, probing=True)
        while batch := list(islice(rows, BATCH)):
            count += len(batch)
            later += [row for row in batch if "forget" in row or "useful" in row]
            self._asked(lambda turns=batch: self._store.restore(turns), probing=True, writing=True)  # type: ignore[misc]
        opinions = iter(sorted((row for row in later if "useful" in row), key=lambda row: str(row["at"])))
        while batch := list(islice(opinions, BATCH)):
            self._asked(lambda rows=batch: self._store.restore_opinions(rows), probing=True)  # type: ignore[misc]
        self._asked(lambda: self._forget_again(row for row in later if "forget" in row), probing=True)
        return count

    def _forget_again(self, farewells: Iterable[Row]) -> None:
        for row in farewells:
            self._store.forget_pseudonym(row["channel"], row["forget"])

    def _keep(self, row: Row) -> bool:
        kept = self._spool is not None and self._spool.add(row)
        self._counted("spooled" if kept else "lost")
        return kept

    def _asked(self, ask: Callable[[], Result], probing: bool = False, writing: bool = False) -> Result:
        """Return what the store answers in time; raises AwayError at once while it is known to be away."""
        if not probing:
            self._wait_for_nobody()
        with self._guarded(writing):
            result = ask() if self._patience is None else self._patience.call(ask)
        self._away_until = 0.0
        self.fault = ""
        if writing:
            self._unwritten = (-LOG_SECONDS, "")
        return result

    def _wait_for_nobody(self) -> None:
        """Let one caller through after each pause; raises AwayError for all others."""
        with self._lock:
            now = time.monotonic()
            if now < self._away_until:
                raise AwayError(self.fault)
            if self._away_until:
                self._away_until = now + WAIT_SECONDS

    @contextmanager
    def _guarded(self, writing: bool) -> Iterator[None]:
        """Turn the store's faults into AwayError; a row that the database refuses is that message's fault alone."""
        try:
            yield
        except (IntegrityError, DataError) as error:
            self._report(error)
            raise AwayError(type(error).__name__) from None
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            self.fault = type(error).__name__
            if writing:
                self._unwritten = (time.monotonic(), self.fault)
            self._report(error)
            raise AwayError(self.fault) from None

    def _counted(self, event: str) -> None:
        self.counts[event] += 1
        if self._count is not None:
            self._count(event)

    def _report(self, error: Exception) -> None:
        """Count a fault and log the first in a minute: its kind only, for its words may be a person's."""
        with self._lock:
            self._counted("fault")
            if time.monotonic() - self._logged < LOG_SECONDS:
                return
            self._logged = time.monotonic()
        cause = getattr(error, "orig", None) or error
        log.error("store_failed", error=type(cause).__name__, faults=self.counts["fault"], spooled=self.counts["spooled"])
