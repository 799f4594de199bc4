"""How the bot logs: one JSON object a line on standard error, with kinds and counts, never what people wrote or who."""

from __future__ import annotations

import sys
from contextlib import suppress
from io import TextIOBase
from typing import TextIO, cast

import structlog


def set_up() -> None:
    """Have every logger of structlog write JSON to standard error; once, where the process puts itself together."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=_to_stderr,
    )


class _Lossy(TextIOBase):
    """Standard error, as far as it can be written: where it goes to a full disk, people are answered all the same.

    ``sys.stderr`` is looked up at each call: whoever redirects it, a test or a server, gets the lines.
    """

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


STDERR = _Lossy()
"""One for all loggers: structlog keeps a lock for each file that it was ever given."""


def _to_stderr(*_names: object) -> structlog.WriteLogger:
    return structlog.WriteLogger(cast(TextIO, STDERR))  # of a file it only writes and flushes
