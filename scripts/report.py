"""Says what people could not find in a period: clusters, uses, offers; as text, CSV, xlsx, or drafts of new entries."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.catalogue import Knowledge
from bot.config import ConfigError, read_config, read_secret
from bot.curation.drafting import drafts
from bot.curation.live import open_last_good_knowledge
from bot.curation.reporting import report
from bot.curation.staff_store import StaffStore
from bot.curation.staffing import Report
from bot.curation.tables import as_csv, as_xlsx, place
from bot.knowledge import KnowledgeError
from bot.storage.store import Store

KINDS = {
    "answer": "直接答",
    "choices": "列出来选",
    "none": "不知道或指路",
    "smalltalk": "闲聊",
    "emergency": "紧急（内容不显示）",
}
SHOWN = 20
PROGRESS_AFTER = 1.0


def main() -> int:
    """Print or write the report; return the exit code."""
    options = _options()
    try:
        config = read_config()
        knowledge = open_last_good_knowledge(config.knowledge_dir, config.data_dir)
    except (ConfigError, KnowledgeError) as error:
        print(error, file=sys.stderr)
        return 1
    store = Store(config.database, read_secret(config))
    found = read_report(StaffStore(store, read_secret(config)), knowledge, options.days)
    store.close()
    for line in text_lines(found, knowledge, options.days):
        print(line)
    if options.csv:
        options.csv.write_text(as_csv(found, knowledge), encoding="utf-8", newline="")
    if options.xlsx:
        options.xlsx.write_bytes(as_xlsx(found, knowledge))
    if options.draft:
        options.draft.mkdir(parents=True, exist_ok=True)
        for name, text in drafts(found.clusters[: options.top], knowledge, datetime.now(UTC).date()).items():
            (options.draft / name).write_text(text, encoding="utf-8", newline="\n")
            print(f"草稿：{options.draft / name}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="大家问了什么、哪些没答上")
    parser.add_argument("--days", type=int, default=30, help="最近多少天（默认30）")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="没答上的，写成 CSV")
    parser.add_argument("--xlsx", type=Path, metavar="FILE", help="全部，写成 Excel 文件")
    parser.add_argument("--draft", type=Path, metavar="FOLDER", help="给最常见的几类写好待填的问答（不要直接写进 knowledge/）")
    parser.add_argument("--top", type=int, default=10, help="写几个草稿（默认10）")
    return parser.parse_args()


def read_report(store: StaffStore, knowledge: Knowledge, days: int) -> Report:
    """Return the report of the last days, telling on standard error how far it is."""
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    return report(store.turns(since, now), knowledge.entries, _progress(store.count(since, now)))


def _progress(total: int) -> Callable[[int], None]:
    shown = time.monotonic()

    def tell(done: int) -> None:
        nonlocal shown
        if done == total or time.monotonic() - shown > PROGRESS_AFTER:
            shown = time.monotonic()
            ending = "\n" if done == total else ""
            print(f"\r已读 {done}/{total} 句……", end=ending, file=sys.stderr, flush=True)

    return tell


def text_lines(found: Report, knowledge: Knowledge, days: int) -> Iterable[str]:
    """Yield the report as lines for a terminal."""
    yield f"最近{days}天，共 {found.total} 句：" + "，".join(f"{KINDS.get(k, k)} {n}" for k, n in found.kinds.items())
    yield "渠道：" + "，".join(f"{channel} {count}" for channel, count in found.channels.items())
    yield f"\n答不上和被点“没用”的（前{SHOWN}类）："
    for cluster in found.clusters[:SHOWN]:
        rated = f"，没用 {cluster.badly_rated}" if cluster.badly_rated else ""
        yield f"{cluster.count:>6} 次{rated}  {' ／ '.join(cluster.examples)}  → {place(cluster.nearest, knowledge)}"
    yield "\n用得最多的："
    yield from (f"{count:>6} 次  {place(entry, knowledge)}" for entry, count in found.used[:SHOWN])
    yield "\n列出来却没人选的："
    yield from (
        f"{one.offered:>6} 次列出，{one.chosen} 次被选  {place(one.entry, knowledge)}" for one in found.passed_over[:SHOWN]
    )
    yield f"\n一次也没用到的：{len(found.never)} 条"


if __name__ == "__main__":
    sys.exit(main())
