"""Files that several processes share: written in one step, kept as pickles, held by one process at a time."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


Made = TypeVar("Made")

EVERY = 0.02
"""Seconds between two tries."""


@contextmanager
def alone(path: Path, seconds: float) -> Iterator[None]:
    """Hold a file against everybody else, other threads of this process included.

    Raises TimeoutError when somebody else does not let go for so long, OSError when the file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    with path.open("ab") as file:  # closing it lets go
        while True:
            try:
                _try(file.fileno())
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise TimeoutError(f"somebody else holds {path.name}") from error
            time.sleep(EVERY)
        yield


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in place in one step: who reads it sees the old one or the new one, never half.

    Raises OSError, and leaves the old one, when the disk is full or may not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Kept(Generic[Made]):
    """One thing that takes long to make, pickled in a private folder: whoever can write there can change the bot anyhow."""

    def __init__(self, folder: Path, name: str, kind: type[Made], key: bytes) -> None:
        """``key`` says what it was made by: with another one, what is kept is worth nothing."""
        self._kind = kind
        self._pattern = f"{name}-*.pickle"
        self._path = folder / f"{name}-{hashlib.sha256(sys.version.encode() + key).hexdigest()[:16]}.pickle"

    def exists(self) -> bool:
        """Return whether one is kept for this key."""
        return self._path.exists()

    def read(self) -> Made | None:
        """Return what is kept for this key; None when there is nothing that can be read."""
        try:
            made = pickle.loads(self._path.read_bytes())  # noqa: S301 - our own file in our own private folder
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ValueError, ImportError, IndexError):
            return None
        return made if isinstance(made, self._kind) else None

    def write(self, made: Made) -> None:
        """Keep something in place of the one before, in one step; a full or read-only disk costs only the next start."""
        try:
            write_atomically(self._path, pickle.dumps(made, protocol=pickle.HIGHEST_PROTOCOL))
            for other in self._path.parent.glob(self._pattern):
                if other != self._path:
                    other.unlink(missing_ok=True)
        except OSError:
            return
