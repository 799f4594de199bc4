"""How the bot logs: one JSON object a line on standard error, with kinds and counts, never what people wrote or who."""

from __future__ import annotations

import sys

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


def _to_stderr(*_names: object) -> structlog.WriteLogger:
    # sys.stderr is looked up at each call: whoever redirects it, a test or a server, gets the lines.
    return structlog.WriteLogger(sys.stderr)
