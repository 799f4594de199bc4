"""Keeps the texts of the last good knowledge base in the data folder, so that a broken edit does not stop a restart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.files import write_atomically

NAME = "knowledge-good.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Texts by path that answer since ``at`` (aware); ``refused`` is what was told of the ``refused_version`` since."""

    texts: dict[str, str]
    at: datetime
    refused_version: str = ""
    refused: tuple[tuple[str, int, str], ...] = ()


def read_snapshot(folder: Path) -> Snapshot | None:
    """Return what was kept in a data folder; None when there is nothing that can be read."""
    try:
        value = json.loads((folder / NAME).read_text(encoding="utf-8"))
        refused = tuple((str(path), int(line), str(text)) for path, line, text in value["refused"])
        return Snapshot(dict(value["texts"]), datetime.fromisoformat(value["at"]), value["refused_version"], refused)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is only a help: without it the bot starts from the folder, or says why it cannot


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Put a snapshot in the place of the one before, whole or not at all; several workers may do so at once."""
    value = {
        "texts": snapshot.texts,
        "at": snapshot.at.isoformat(),
        "refused_version": snapshot.refused_version,
        "refused": snapshot.refused,
    }
    write_atomically(folder / NAME, json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
