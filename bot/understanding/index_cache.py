"""Keeps a built ranker on disk, so that a start need not work through every phrasing again."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from pathlib import Path

import numpy

from bot.understanding.ranking import Ranker

CODE = ("features.py", "index.py", "ranking.py", "text.py", "index_cache.py")
"""The files whose change makes a kept ranker worthless."""


class IndexCache:
    """One ranker in a private folder (the data folder): whoever can write there can change the bot anyhow."""

    def __init__(self, folder: Path, lists: str) -> None:
        """``lists`` are the word lists in one string: with others, no work on texts can be taken over."""
        here = Path(__file__).parent
        code = b"".join((here / name).read_bytes() for name in CODE)
        key = hashlib.sha256(f"{sys.version}{numpy.__version__}{lists}".encode() + code).hexdigest()[:16]
        self._path = folder / f"index-{key}.pickle"

    def exists(self) -> bool:
        """Return whether a ranker is kept for this code and these word lists."""
        return self._path.exists()

    def read(self) -> Ranker | None:
        """Return the ranker kept for this code and these word lists; None when there is none that can be read."""
        try:
            ranker = pickle.loads(self._path.read_bytes())  # noqa: S301 - our own file in our own private folder
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ValueError):
            return None
        return ranker if isinstance(ranker, Ranker) else None

    def write(self, ranker: Ranker) -> None:
        """Keep a ranker in place of the one before, in one step; a full or read-only disk costs only the next start."""
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        try:
            unfinished.write_bytes(pickle.dumps(ranker, protocol=pickle.HIGHEST_PROTOCOL))
            unfinished.replace(self._path)
            for other in self._path.parent.glob("index-*.pickle"):
                if other != self._path:
                    other.unlink(missing_ok=True)
        except OSError:
            unfinished.unlink(missing_ok=True)
