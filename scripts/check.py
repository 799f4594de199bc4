"""Says everything that is wrong in ``knowledge/``, and how much there is for each of the 22 measures."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from bot.answer import Library
from bot.catalogue import Knowledge
from bot.config import ConfigError, read_config
from bot.curation.guard import guard, problems
from bot.knowledge import Problem, inspect
from bot.knowledge.folder import read_texts
from bot.knowledge.problems import Report
from bot.understanding.matching import Finder

PROGRESS_AFTER = 1.0
"""Seconds of silence that need no explanation."""

ROOT = Path(__file__).resolve().parent.parent


def coverage(knowledge: Knowledge) -> list[str]:
    """Return a line a measure: its number, entries, phrasings, title."""
    entries: Counter[int] = Counter()
    phrasings: Counter[int] = Counter()
    for entry in knowledge.entries.values():
        for number in entry.measures:
            entries[number] += 1
            phrasings[number] += len(entry.phrasings)
    return [
        f"{number:>4}  {entries[number]:>4}  {phrasings[number]:>4}  {measure.title}"
        for number, measure in sorted(knowledge.measures.items())
    ]


def meanings(folder: Path, knowledge: Knowledge) -> list[Problem]:
    """Return every stored question that does not reach its entry; asks them all, telling how far it is."""
    with _cache() as cache:
        stolen = guard(Library(knowledge, Finder(knowledge, cache)), progress=_progress())
    print("\r", end="", file=sys.stderr)
    return problems(stolen, knowledge, read_texts(folder, Report()))


@contextmanager
def _cache() -> Iterator[Path]:
    """Give a place for what need not be worked out again next time; it lasts where there is a data folder to write to."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as passing:
        folder = Path(passing)
        with suppress(ConfigError, OSError):
            lasting = read_config().data_dir / "check"
            lasting.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=lasting).close()
            folder = lasting
        yield folder


def _progress() -> Callable[[int, int], None]:
    shown = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > PROGRESS_AFTER:
            shown = time.monotonic()
            print(f"\r逐句试问 {done}/{total} ……", end="", file=sys.stderr, flush=True)

    return tell


def main() -> int:
    """Print problems and coverage; return 1 when anything keeps the knowledge base from going live."""
    arguments = argparse.ArgumentParser(description="检查知识库")
    arguments.add_argument("folder", nargs="?", type=Path, default=ROOT / "knowledge")
    arguments.add_argument("--quick", action="store_true", help="不逐句试问（快，但查不出问法抢走了别的问答）")
    options = arguments.parse_args()
    folder: Path = options.folder
    knowledge, found = inspect(folder, date.today())
    if knowledge is not None and not options.quick:
        found += meanings(folder, knowledge)
    for problem in sorted(found):
        print(f"{folder.name}/{problem}")
    errors = sum(not problem.notice for problem in found)
    if knowledge is not None:
        print("措施  条目  问法  标题（一条问答可以属于几条措施）", *coverage(knowledge), sep="\n")
        print(f"共 {len(knowledge.entries)} 条，{sum(len(e.phrasings) for e in knowledge.entries.values())} 种问法")
    print(f"{errors} 个问题要改，{len(found) - errors} 条提醒" if found else "没有问题")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
