"""Measures what a start costs, step by step, in time and memory, beside jieba's own initialisation in the same process.

Run it twice: the first run fills the caches that a later start finds.
"""

from __future__ import annotations

import _venv

_venv.ensure()

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

FINDER = "查找（它自己的词典加索引）"
PAGE = os.sysconf("SC_PAGE_SIZE")

Spent = tuple[float, float]
"""Milliseconds, and megabytes that the process grew by."""


def main() -> None:
    """Take the steps of a start in this very process and print a line for each; imports are what is measured."""
    spent: dict[str, Spent] = {}
    print("| 一步 | 毫秒 | MB |\n|---|---|---|")
    with _step("numpy、rapidfuzz", spent):
        import numpy  # noqa: F401, PLC0415
        import rapidfuzz.process  # noqa: F401, PLC0415
    with _step("jieba 自己", spent):
        from jieba import Tokenizer  # noqa: PLC0415

        from bot.config import read_config  # noqa: PLC0415

        config = read_config()
        jieba = Tokenizer()
        jieba.tmp_dir = str(config.data_dir)
        jieba.initialize()
    with _step("opencc、pypinyin", spent):
        import bot.understanding.sounds  # noqa: PLC0415
        import bot.understanding.text  # noqa: PLC0415
    with _step("读知识库", spent):
        from bot.knowledge import load  # noqa: PLC0415

        knowledge = load(config.knowledge_dir, datetime.now(UTC).date())
    with _step(FINDER, spent):
        from bot.understanding.matching import Finder  # noqa: PLC0415

        folder = Path(config.data_dir) / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        finder = Finder(knowledge, folder)
    with _step("其余（Flask、SQLAlchemy、微信……）", spent):
        import bot.app  # noqa: F401, PLC0415
    base, whole = spent["jieba 自己"], spent[FINDER]
    print(f"\n{FINDER}：时间是 jieba 自己的 {whole[0] / base[0]:.2f} 倍，内存 {whole[1] / base[1]:.2f} 倍")
    print(f"整个进程 {_resident():.0f} MB（其中一个 jieba 只为了比较）；{len(finder.find('押金').matches)} 条候选")


@contextmanager
def _step(name: str, spent: dict[str, Spent]) -> Iterator[None]:
    """Measure a block and print its line."""
    started, before = time.perf_counter(), _resident()
    yield
    spent[name] = (1000 * (time.perf_counter() - started), _resident() - before)
    print(f"| {name} | {spent[name][0]:.0f} | {spent[name][1]:.1f} |", flush=True)


def _resident() -> float:
    """Return the megabytes of memory that this process has now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE / 1e6


if __name__ == "__main__":
    main()
