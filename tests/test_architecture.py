"""The architecture as data: who may import whom. Changing it means changing this table in the open."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

BOT = Path(__file__).resolve().parent.parent / "bot"

MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "catalogue": set(),
    "model": set(),
    "config": set(),
    "text": set(),
    "sounds": set(),
    "features": set(),
    "index": set(),
    "certainty": set(),
    "privacy": set(),
    "emergency": {"catalogue"},
    "places": {"catalogue"},
    "rendering": {"catalogue", "model"},
    "aspects": set(),
    "followups": {"aspects", "model", "text"},
    "explaining": {"catalogue", "model"},
    "knowledge": {"catalogue", "rendering", "text"},
    "ranking": {"catalogue", "certainty", "emergency", "features", "index", "text"},
    "indexcache": {"ranking"},
    "matching": {"aspects", "indexcache", "catalogue", "certainty", "features", "model", "ranking", "sounds", "text"},
    "saying": {"catalogue", "model", "places", "rendering"},
    "dialogue": {"aspects", "catalogue", "emergency", "followups", "model", "places", "saying", "text"},
    "store": {"model", "privacy"},
    "patience": set(),
    "spool": set(),
    "logs": set(),
    "metrics": set(),
    "counters": {"patience"},
    "memory": {"model", "patience", "spool", "store"},
    "housekeeping": {"counters", "memory", "store"},
    "answer": {"catalogue", "dialogue", "explaining", "matching", "memory", "model", "store"},
    "staffing": {"catalogue"},
    "snapshot": set(),
    "publishing": {"snapshot", "staffing"},
    "clustering": {"text"},
    "reporting": {"clustering", "staffing", "text"},
    "drafting": {"catalogue", "knowledge", "staffing"},
    "guard": {"catalogue", "dialogue", "emergency", "knowledge", "matching", "model", "text"},
    "comparing": {"answer", "guard", "staffing"},
    "live": {"answer", "catalogue", "guard", "knowledge", "matching", "snapshot", "staffing"},
    "staff_store": {"privacy", "staffing", "store"},
    "workshop": {
        *("answer", "catalogue", "comparing", "guard", "knowledge", "live", "model"),
        *("publishing", "reporting", "staff_store", "staffing"),
    },
    "channels": {"catalogue", "config", "model", "rendering", "staffing"},
}
"""``app`` and ``migrations`` are left out: the one puts everything together, the other is Alembic's."""

ONLY_IN: dict[str, set[str]] = {
    "jieba": {"features"},
    "rapidfuzz": {"clustering", "guard", "matching", "ranking"},
    "opencc": {"text"},
    "pypinyin": {"sounds"},
    "markdown_it": {"knowledge", "channels"},
    "sqlalchemy": {"counters", "memory", "migrations", "staff_store", "store"},
    "wechatpy": {"channels"},
    "flask": {"channels", "app"},
}


def module_of(path: Path) -> str:
    return path.relative_to(BOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "bot"}
    return names


FILES = sorted(path for path in BOT.rglob("*.py") if module_of(path) not in ("app", "migrations"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BOT)))
def test_imports_go_one_way(path: Path) -> None:
    module = module_of(path)
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("bot.")}
    assert ours - {module} <= MAY_IMPORT[module]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BOT)))
def test_a_library_is_used_in_its_one_place(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported(path)}
    strangers = {library for library in outside & ONLY_IN.keys() if module_of(path) not in ONLY_IN[library]}
    assert strangers == set()


def test_the_bot_needs_nothing_outside_its_folder() -> None:
    texts = [path.read_text(encoding="utf-8") for path in [*BOT.rglob("*.py"), *BOT.parent.glob("scripts/*.py")]]
    assert not any("../shared" in text or "/work/" in text for text in texts)
