"""Writes a leaflet of each of the plan's seven actions from the entries, one page of plain words for staff to forward."""

from __future__ import annotations

import _venv

_venv.ensure()

import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from bot.catalogue import Entry, Knowledge
from bot.knowledge import KnowledgeError, load

FOLDER = _venv.ROOT / "knowledge"
LEAFLETS = FOLDER / "leaflets"
MOST_ENTRIES = 12
"""A page has room for no more."""

FOOT = "不清楚就问：人社政策打12333，投诉求助打12345，法律援助打12348，工会打12351，心里难受打12356。有人受伤先打120。"


def leaflet(action: str, knowledge: Knowledge) -> str:
    """Return the leaflet of one action: for each service its main entry's answer, door and office."""
    mains = [knowledge.entries[service.entries[0]] for service in knowledge.services.values()]
    own = [entry for entry in mains if knowledge.measures[entry.measures[0]].action == action][:MOST_ENTRIES]
    checked = max(entry.checked for entry in own)
    parts = [f"# {action}：骑手、司机、快递员看这里", *(_part(entry) for entry in own), FOOT, f"（内容核对到{checked}）"]
    return "\n\n".join(parts) + "\n"


def _part(entry: Entry) -> str:
    lines = [f"## {entry.question}", "", f"**{entry.answer.short}**", ""]
    lines += [f"{number}. {step}" for number, step in enumerate(entry.answer.steps, 1)]
    if entry.answer.papers:
        lines += ["", "要带：" + "；".join(entry.answer.papers)]
    lines += ["", *entry.answer.notes] if entry.answer.notes else []
    return "\n".join([*lines, "", f"去哪办：{entry.door}", "", f"责任科室：{'、'.join(entry.offices)}"])


def main() -> int:
    """Write one file an action; return 1 when the knowledge base is not right."""
    try:
        knowledge = load(FOLDER, datetime.now(UTC).date())
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    actions: defaultdict[str, list[int]] = defaultdict(list)
    for number, measure in sorted(knowledge.measures.items()):
        actions[measure.action].append(number)
    LEAFLETS.mkdir(exist_ok=True)
    for place, action in enumerate(actions, 1):
        path: Path = LEAFLETS / f"{place}-{action}.md"
        path.write_text(leaflet(action, knowledge), encoding="utf-8")
        print(f"写好 knowledge/leaflets/{path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
