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
    "files": set(),
    "logs": set(),
    "metrics": set(),
    "rendering": {"catalogue", "model"},
    "understanding": {"catalogue", "files", "model"},
    "knowledge": {"catalogue", "rendering", "understanding.text"},
    "dialogue": {"catalogue", "model", "rendering", "understanding"},
    "storage": {"files", "model"},
    "answer": {"catalogue", "dialogue", "model", "storage", "understanding"},
    "curation": {"answer", "catalogue", "dialogue", "files", "knowledge", "model", "storage", "understanding"},
    "serving": {"app", "config", "curation.live"},
    "channels": {"catalogue", "config", "model", "rendering", "curation.staffing"},
}
"""A file or folder of ``bot/`` -> the files and folders it may import. ``app`` is left out: it puts everything together."""

ONLY_IN: dict[str, set[str]] = {
    "jieba": {"understanding.features"},
    "rapidfuzz": {
        "curation.clustering",
        "curation.likeness",
        "understanding.matching",
        "understanding.ranking",
    },
    "opencc": {"understanding.text"},
    "pypinyin": {"understanding.sounds"},
    "markdown_it": {"knowledge", "channels"},
    "sqlalchemy": {"storage", "curation.staff_store"},
    "wechatpy": {"channels"},
    "flask": {"channels", "app", "serving"},
}


def part_of(path: Path) -> str:
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


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(BOT).with_suffix("").parts)


def within(name: str, allowed: set[str]) -> bool:
    return any(name == f"bot.{one}" or name.startswith(f"bot.{one}.") for one in allowed)


FILES = sorted(path for path in BOT.rglob("*.py") if part_of(path) != "app")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BOT)))
def test_imports_go_one_way(path: Path) -> None:
    part = part_of(path)
    ours = {name for name in imported(path) if name.startswith("bot.")}
    assert {name for name in ours if not within(name, MAY_IMPORT[part] | {part})} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BOT)))
def test_a_library_is_used_in_its_one_place(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported(path)}
    strangers = {library for library in outside & ONLY_IN.keys() if not within(f"bot.{module_of(path)}", ONLY_IN[library])}
    assert strangers == set()


def test_the_bot_needs_nothing_outside_its_folder() -> None:
    texts = [path.read_text(encoding="utf-8") for path in [*BOT.rglob("*.py"), *BOT.parent.glob("scripts/*.py")]]
    assert not any("../shared" in text or "/work/" in text for text in texts)
