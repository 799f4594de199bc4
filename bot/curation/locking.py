"""Lets one process at a time do something; who dies lets go."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
