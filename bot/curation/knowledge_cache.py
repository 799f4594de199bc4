"""Keeps a knowledge base that was read and found good, so that a start need not parse every file again."""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path

from bot.catalogue import Knowledge
from bot.curation.snapshot import write_atomically

BOT = Path(__file__).resolve().parent.parent
CODE = ("catalogue.py", "rendering.py", "understanding/text.py", "knowledge/*.py", "curation/knowledge_cache.py")
"""The files whose change makes a kept knowledge base worthless."""


class KnowledgeCache:
    """One knowledge base in a private folder (the data folder): whoever can write there can change the bot anyhow."""

    def __init__(self, folder: Path) -> None:
        code = b"".join(path.read_bytes() for pattern in CODE for path in sorted(BOT.glob(pattern)))
        key = hashlib.sha256(sys.version.encode() + code).hexdigest()[:16]
        self._path = folder / f"knowledge-{key}.pickle"

    def read(self, version: str) -> Knowledge | None:
        """Return the knowledge base of a version (a hash of its texts); None when it is not the one that is kept."""
        try:
            knowledge = pickle.loads(self._path.read_bytes())  # noqa: S301 - our own file in our own private folder
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ValueError, ImportError, IndexError):
            return None
        return knowledge if isinstance(knowledge, Knowledge) and knowledge.version == version else None

    def write(self, knowledge: Knowledge) -> None:
        """Keep a knowledge base in place of the one before; a full or read-only disk costs only the next start."""
        try:
            write_atomically(self._path, pickle.dumps(knowledge, protocol=pickle.HIGHEST_PROTOCOL))
            for other in self._path.parent.glob("knowledge-*.pickle"):
                if other != self._path:
                    other.unlink(missing_ok=True)
        except OSError:
            return
