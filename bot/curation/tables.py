"""Writes a report as tables for spreadsheets: CSV and xlsx; nothing in them is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from openpyxl import Workbook

from bot.catalogue import Knowledge
from bot.curation.staffing import Report

CLUSTERS = "没答上的"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""

Row = list[str | int]


def tables(found: Report, knowledge: Knowledge) -> dict[str, list[Row]]:
    """Return the report as tables by name, each with its heading row."""
    clusters: list[Row] = [["次数", "差评", "例一", "例二", "例三", "最近的条目"]]
    clusters += [[c.count, c.badly_rated, *(*c.examples, "", "")[:3], place(c.nearest, knowledge)] for c in found.clusters]
    days = [(day.day, "渠道", name, n) for day in found.days for name, n in day.channels.items()]
    days += [(day.day, "回答", name, n) for day in found.days for name, n in day.kinds.items()]
    return {
        CLUSTERS: clusters,
        "用得最多的": _table("次数 条目", ([count, place(entry, knowledge)] for entry, count in found.used)),
        "列出没选的": _table(
            "列出 选了 条目", ([one.offered, one.chosen, place(one.entry, knowledge)] for one in found.passed_over)
        ),
        "没用到的": _table("条目", ([place(entry, knowledge)] for entry in found.never)),
        "每天": _table("日期 按 名称 句数", ([str(day), by, name, n] for day, by, name, n in days)),
    }


def place(entry_id: str | None, knowledge: Knowledge) -> str:
    """Return an entry as staff find it: its question and where it stands."""
    entry = knowledge.entries.get(entry_id or "")
    return f"「{entry.question}」（{entry.path}:{entry.line}）" if entry else (entry_id or "没有相近的")


def as_csv(found: Report, knowledge: Knowledge) -> str:
    """Return the clusters; the mark in front has spreadsheet programs read it as UTF-8."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(map(_harmless, tables(found, knowledge)[CLUSTERS]))
    return "\ufeff" + out.getvalue()


def as_xlsx(found: Report, knowledge: Knowledge) -> bytes:
    """Return every table on a sheet of its own."""
    book = Workbook(write_only=True)
    for name, rows in tables(found, knowledge).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(_harmless(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _table(heading: str, rows: Iterable[Row]) -> list[Row]:
    return [[*heading.split()], *rows]


def _harmless(row: Row) -> Row:
    """Return a row of which no cell is taken for a formula, and which has no sign that a spreadsheet cannot hold."""
    return [_cell(value) if isinstance(value, str) else value for value in row]


def _cell(value: str) -> str:
    shown = "".join(sign for sign in value if sign.isprintable() or sign == " ")
    return f"'{shown}" if shown.startswith(FORMULA) else shown
