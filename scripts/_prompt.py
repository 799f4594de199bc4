"""Reads what somebody types, line after line, until they have had enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress


def typed() -> Iterator[str]:
    """Yield each line typed until Ctrl-D or Ctrl-C; with line editing and history where the terminal has them."""
    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - importing it is what gives input() its editing; Windows has none
    while True:
        try:
            text = input("\n你：")
        except (EOFError, KeyboardInterrupt):
            print()
            return
        yield text
