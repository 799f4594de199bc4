"""Keeps on disk what is made from the texts, so that a start need not work through every one of them again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy

from bot.catalogue import EmergencyRule
from bot.files import Kept
from bot.understanding.emergency import Hearing
from bot.understanding.ranking import Ranker

RANKING_CODE = ("features.py", "index.py", "opinion.py", "ranking.py", "reader.py", "text.py", "caches.py")
HEARING_CODE = ("emergency.py", "learning.py", "reader.py", "text.py", "caches.py")
"""The files whose change makes what is kept worthless."""


def index_cache(folder: Path, lists: str) -> Kept[Ranker]:
    """Return where a ranker is kept; ``lists`` are the word lists in one string: with others, nothing can be taken over."""
    return Kept(folder, "index", Ranker, f"{numpy.__version__}{lists}".encode() + _code(RANKING_CODE))


def hearing_cache(folder: Path, dangers: Iterable[EmergencyRule]) -> Kept[Hearing]:
    """Return where it is kept how these dangers read.

    What people ordinarily write is learnt from, too, but is not in the key: one more question in the knowledge base does
    not change how danger reads, and must go live at once.
    """
    examples = repr([(rule.id, rule.examples) for rule in dangers])
    return Kept(folder, "hearing", Hearing, f"{numpy.__version__}{examples}".encode() + _code(HEARING_CODE))


def _code(names: Iterable[str]) -> bytes:
    here = Path(__file__).parent
    return b"".join((here / name).read_bytes() for name in names)
