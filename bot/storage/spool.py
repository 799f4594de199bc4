"""Keeps on disk, bounded, what the store could not take, until it can: JSON objects, one a line."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from bot.files import alone

Row = dict[str, Any]

OPEN = ".open"
SEALED = ".jsonl"
LOCK = "replaying.lock"

MOST_BYTES = 64 * 1024 * 1024
"""How much a spool keeps, about 30,000 turns; what comes after is counted as lost: others need the disk, too."""

FILE_BYTES = 1024 * 1024
"""A file larger than this is sealed and another one begun."""

SETTLE_SECONDS = 0.05
"""So long after a file was sealed, a process that had it open has written its line."""


class Spool:
    """A folder of rows that wait; safe to share between threads, and the folder between processes of one machine.

    Nothing is forced to the disk: what was added outlives ``kill -9`` of the process, not a loss of power.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._name = _fresh_name()
        self.lost = 0

    def add(self, row: Row) -> bool:
        """Keep a row; False, and counted in ``lost``, when the disk or the spool is full."""
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            try:
                kept = self._append(line)
            except OSError:
                self._name = _fresh_name()  # the old file may end in half a line; nothing must be glued to it
                kept = False
            self.lost += not kept
        return kept

    def count(self) -> int:
        """Return how many rows wait, those of other processes too."""
        return sum(_read(path).count(b"\n") for path in self._files())

    def waiting(self) -> bool:
        """Return whether any row waits."""
        return bool(self._files())

    @contextmanager
    def taken(self) -> Iterator[Iterator[Row]]:
        """Hand out all rows that wait, oldest file first; they are gone when the block ends without a fault.

        While another process has them there are none. Where files cannot be locked, or the process is killed, the same
        rows are handed out twice: whoever writes them must not mind.
        """
        with _locked(self._folder / LOCK) as ours:
            if ours and self._seal():
                time.sleep(SETTLE_SECONDS)
            paths = [path for path in self._files() if path.suffix == SEALED] if ours else []
            yield (row for path in paths for row in _rows(_read(path)))
            for path in paths:
                path.unlink(missing_ok=True)

    def _append(self, line: bytes) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        if sum(map(_size, self._files())) + len(line) > self._most_bytes:
            return False
        path = self._folder / (self._name + OPEN)
        # Opened anew for each row: another process may have sealed the file, and the row must not go with it.
        with path.open("ab", buffering=0) as file:
            if file.write(line) != len(line):
                raise OSError("disk full in the middle of a line")
        if _size(path) > FILE_BYTES:
            self._name = _fresh_name()
        return True

    def _seal(self) -> int:
        """Close every open file, those of other processes too, which may be gone; return how many."""
        paths = [path for path in self._files() if path.suffix == OPEN]
        for path in paths:
            with suppress(FileNotFoundError):  # another process was first
                path.rename(path.with_name(f"{path.stem}-{uuid.uuid4().hex[:8]}{SEALED}"))
        return len(paths)

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*") if path.suffix in (OPEN, SEALED))


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a lock between processes; False when another has it, True also where there can be none."""
    with ExitStack() as held:
        try:
            held.enter_context(alone(path, seconds=0))
        except TimeoutError:
            yield False
            return
        except OSError:
            pass  # a full or read-only disk: better twice than never
        yield True


def _fresh_name() -> str:
    """Return a file name that sorts by time."""
    return f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"


def _rows(content: bytes) -> Iterator[Row]:
    """Yield the rows of a file; half a line, where the disk was full or the process killed, is left out."""
    for line in content.split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
