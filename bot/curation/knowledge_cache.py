"""Keeps a knowledge base that was read and found good, so that a start need not parse every file again."""

from __future__ import annotations

from pathlib import Path

from bot.catalogue import Knowledge
from bot.files import Kept

BOT = Path(__file__).resolve().parent.parent
CODE = ("catalogue.py", "rendering.py", "understanding/text.py", "knowledge/*.py", "curation/knowledge_cache.py")
"""The files whose change makes a kept knowledge base worthless."""


def knowledge_cache(folder: Path) -> Kept[Knowledge]:
    """Return where a knowledge base is kept; its ``version`` says of which texts it is."""
    code = b"".join(path.read_bytes() for pattern in CODE for path in sorted(BOT.glob(pattern)))
    return Kept(folder, "knowledge", Knowledge, code)
