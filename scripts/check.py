"""Says everything that is wrong in ``knowledge/``, and how much there is for each of the 22 measures."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from bot.catalogue import Knowledge
from bot.knowledge import inspect

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


def main() -> int:
    """Print problems and coverage; return 1 when anything keeps the knowledge base from going live."""
    arguments = argparse.ArgumentParser(description="检查知识库")
    arguments.add_argument("folder", nargs="?", type=Path, default=ROOT / "knowledge")
    folder: Path = arguments.parse_args().folder
    knowledge, problems = inspect(folder, date.today())
    for problem in problems:
        print(f"{folder.name}/{problem}")
    errors = sum(not problem.notice for problem in problems)
    if knowledge is not None:
        print("措施  条目  问法  标题（一条问答可以属于几条措施）", *coverage(knowledge), sep="\n")
        print(f"共 {len(knowledge.entries)} 条，{sum(len(e.phrasings) for e in knowledge.entries.values())} 种问法")
    print(f"{errors} 个问题要改，{len(problems) - errors} 条提醒" if problems else "没有问题")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
