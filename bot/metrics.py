"""What Prometheus may read: counts and times of replies, requests and the store, over all workers of a machine."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the workers' shared folder. prometheus-client reads it when it is imported, so it
is set before the workers start."""

RESERVED_BYTES = 256 * 1024
"""What each of a worker's two files is given on the disk at once; a hundred routes and kinds take a third of it."""

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)


class Metrics:
    """The counters of one application; safe to share between threads."""

    def __init__(self) -> None:
        _reserve()
        own = CollectorRegistry()
        self._registry = own
        self._replies = Counter("bot_replies", "Replies by channel and kind.", ["channel", "kind"], registry=own)
        self._answering = Histogram("bot_answer_seconds", "From message to reply.", registry=own, buckets=SECONDS)
        self._store = Counter("bot_store_events", "Faults of the store, turns spooled or lost.", ["event"], registry=own)
        labels = ["method", "route", "status"]
        self._requests = Counter("bot_requests", "HTTP requests.", labels, registry=own)
        self._serving = Histogram("bot_request_seconds", "From request to response.", ["route"], registry=own, buckets=SECONDS)

    def reply(self, channel: str, kind: str, seconds: float) -> None:
        """Count one reply."""
        self._replies.labels(channel, kind).inc()
        self._answering.observe(seconds)

    def store(self, event: str) -> None:
        """Count a fault of the store, or a turn that was spooled or lost."""
        self._store.labels(event).inc()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; ``route`` is the rule that it met, never the address, which may have a person in it."""
        self._requests.labels(method, route, str(status)).inc()
        self._serving.labels(route).observe(seconds)

    def page(self) -> bytes:
        """Return the text that Prometheus reads."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)


def _reserve() -> None:
    """Set the disk aside for this process's figures: writing to a map of a file on a full disk kills the process.

    Where there is no room, the process counts for itself.
    """
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    paths = [Path(folder) / f"{kind}_{os.getpid()}.db" for kind in ("counter", "histogram")]
    try:
        for path in paths:
            path.write_bytes(bytes(RESERVED_BYTES))
    except OSError:
        for path in paths:
            path.unlink(missing_ok=True)
        del os.environ[FOLDER]
        values.ValueClass = values.MutexValue
