"""For the operator: whether the bot lives, what it lacks, figures for Prometheus, a number for each request."""

from __future__ import annotations

import hmac
import ipaddress
import re
import time
import traceback
import uuid
from typing import Any, Protocol

import structlog
from flask import Flask, Response, abort, g, jsonify, request

from bot.config import Config
from bot.model import Health

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
HEADER = "X-Request-ID"
QUIET = ("/health", "/metrics", "/static")
"""Addresses whose requests are not logged: they say nothing and come all the time."""

CACHE_SECONDS = 1.0
"""Anybody may look at the health: the store is asked for it no oftener."""

log = structlog.get_logger()


class Patient(Protocol):
    """Whose health is shown."""

    def health(self) -> Health:
        """Return how the bot is."""
        ...


class Gauges(Protocol):
    """What counts requests and shows all counts."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        ...

    def page(self) -> bytes:
        """Return the text that Prometheus reads."""
        ...


def register(app: Flask, patient: Patient, gauges: Gauges, config: Config) -> None:
    """Add ``/health``, ``/health/live``, ``/health/ready`` and ``/metrics`` to an application, and watch its requests."""
    ward = Ward(patient, gauges, config)
    app.add_url_rule("/health", "health", ward.summary)
    app.add_url_rule("/health/live", "live", ward.live)
    app.add_url_rule("/health/ready", "ready", ward.ready)
    app.add_url_rule("/metrics", "metrics", ward.metrics)
    app.before_request(_begin)
    app.after_request(ward.end)
    app.log_exception = _log_exception  # type: ignore[method-assign]


class Ward:
    """The views; safe to share between threads."""

    def __init__(self, patient: Patient, gauges: Gauges, config: Config) -> None:
        self._patient = patient
        self._gauges = gauges
        self._token = config.metrics_token
        self._started = time.monotonic()
        self._seen: tuple[float, Health] | None = None

    def live(self) -> Response:
        """Say that the process answers; whoever restarts it asks here, and no fault of the store is a reason to."""
        return jsonify(status="ok")

    def ready(self) -> Response:
        """Say what each part is like. 200 as long as people get answers, which they do without the store, too."""
        return jsonify(_shown(self._health()))

    def summary(self) -> Response:
        """Say all that an operator asks first."""
        return jsonify(_shown(self._health()) | {"uptime_seconds": round(time.monotonic() - self._started)})

    def metrics(self) -> Response:
        """Show the figures to whoever has the token, or, where none is set, to this machine; 403 to others."""
        if not self._may_read():
            abort(403)
        return Response(self._gauges.page(), content_type="text/plain; version=0.0.4; charset=utf-8")

    def end(self, response: Response) -> Response:
        """Count a request, log it and give it its number back."""
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self._gauges.request(method, route, response.status_code, seconds)
        response.headers[HEADER] = g.get("request_id", "")
        if not request.path.startswith(QUIET):
            log.info("request", method=method, route=route, status=response.status_code, ms=round(seconds * 1000, 1))
        return response

    def _health(self) -> Health:
        if self._seen is None or time.monotonic() - self._seen[0] > CACHE_SECONDS:
            self._seen = (time.monotonic(), self._patient.health())
        return self._seen[1]

    def _may_read(self) -> bool:
        if self._token:
            given = request.headers.get("Authorization", "").encode("utf-8", "replace")
            return hmac.compare_digest(given, f"Bearer {self._token}".encode())
        # Behind a proxy on this machine everybody would come from here: what was forwarded is not local.
        return "X-Forwarded-For" not in request.headers and _is_local(request.remote_addr or "")


def _begin() -> None:
    """Give a request its number, the proxy's where it has one, and have it in every line that it logs."""
    given = request.headers.get(HEADER, "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _shown(health: Health) -> dict[str, Any]:
    return {
        "status": "degraded" if health.degraded else "ok",
        "store": {"status": "away" if health.fault else "ok", "fault": health.fault},
        "spool": {"status": "waiting" if health.waiting else "ok", "waiting": health.waiting, "lost": health.lost},
        "knowledge": {
            "status": "refused" if health.problems else "ok",
            "version": health.version,
            "entries": health.entries,
            "problems": list(health.problems),
        },
    }


def _is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _log_exception(exc_info: Any) -> None:
    """Log what failed and where; not the words of the exception, which may be a person's own."""
    frame = traceback.extract_tb(exc_info[2])[-1]
    log.error("request_failed", error=exc_info[0].__name__, file=frame.filename, line=frame.lineno)
