"""Keeps a built ranker on disk, so that a start need not work through every phrasing again."""

from __future__ import annotations

from pathlib import Path

import numpy

from bot.files import Kept
from bot.understanding.ranking import Ranker

CODE = ("features.py", "index.py", "ranking.py", "text.py", "index_cache.py")
"""The files whose change makes a kept ranker worthless."""


def index_cache(folder: Path, lists: str) -> Kept[Ranker]:
    """Return where a ranker is kept; ``lists`` are the word lists in one string: with others, nothing can be taken over."""
    here = Path(__file__).parent
    code = b"".join((here / name).read_bytes() for name in CODE)
    return Kept(folder, "index", Ranker, f"{numpy.__version__}{lists}".encode() + code)
