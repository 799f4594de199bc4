"""What is to be done beside answering, by a thread of each process: writing back what waits, tidying, deleting what is old."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta

import structlog

from bot.storage.counters import Counters
from bot.storage.memory import LOG_SECONDS, AwayError, Memory
from bot.storage.store import Store

BEAT_SECONDS = 1.0
"""How often the thread looks whether there is something to do."""

DAY = 86_400

log = structlog.get_logger()


class Housekeeper:
    """A daemon thread; all of its work may be done twice, or broken off, without harm."""

    def __init__(self, memory: Memory, store: Store, counters: Counters, days: int) -> None:
        self._memory = memory
        self._store = store
        self._counters = counters
        self._days = days
        self._purged: date | None = None
        self._logged = -LOG_SECONDS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the work at hand."""
        self._stop.set()
        self._thread.join(BEAT_SECONDS * 5)

    def beat(self, now: datetime) -> None:
        """Do what is due at a moment."""
        self._memory.replay()
        self._store.tidy()
        self._purge_once(f"purge {now.date()}", now)

    def _purge_once(self, today: str, now: datetime) -> None:
        """Delete what is old, unless a process has done so today; when it fails, the next beat tries again."""
        if now.date() == self._purged or self._counters.hit(today, 2 * DAY) > 1:
            self._purged = now.date()
            return
        try:
            purge(self._store, self._days, now)
        except BaseException:
            self._counters.clear(today)
            raise

    def _run(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                self.beat(datetime.now(UTC))
            except AwayError:
                continue  # reported where it was met; the next beat tries again
            except Exception as error:  # noqa: BLE001 - a thread that dies does so in silence
                self._report(error)

    def _report(self, error: Exception) -> None:
        """Log the first fault in a minute."""
        if time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged = time.monotonic()
            log.error("housekeeping_failed", error=type(error).__name__)


def purge(store: Store, days: int, now: datetime) -> int:
    """Delete what is older than so many days; return how many turns that were."""
    count = store.purge(now - timedelta(days=days))
    log.info("purged", turns=count, days=days)
    return count
