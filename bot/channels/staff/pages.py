"""The desk's pages to read: how things stand, what is due, why, what people could not find."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from flask import Blueprint, Response, render_template, request

from bot.catalogue import Entry, Knowledge, Measure
from bot.channels.staff.charts import stacked
from bot.channels.staff.desk import StaffDesk

REVIEW_AFTER = timedelta(days=180)
"""An entry checked longer ago than this is due for review."""

RUNS_OUT_WITHIN = timedelta(days=60)
"""An entry whose validity ends within this time is due for review."""

PERIODS = (7, 30, 90, 365)
SHOWN = 30
YUNFU_TIME = timezone(timedelta(hours=8))
KINDS = {"answer": "直接答", "choices": "列出来选", "none": "不知道或指路", "smalltalk": "闲聊", "emergency": "紧急"}
CHANNELS = {"wechat": "公众号", "web": "网页", "ask": "命令行"}


@dataclass(frozen=True, slots=True)
class Due:
    """An entry that somebody should look at again, and why, with the day that says so."""

    entry: Entry
    reason: str
    day: date


class Pages:
    """The views."""

    def __init__(self, desk: StaffDesk) -> None:
        self.desk = desk

    def add_to(self, staff: Blueprint) -> None:
        """Add the pages' addresses."""
        staff.add_url_rule("/", "home", self.home)
        staff.add_url_rule("/why", "why", self.why)
        staff.add_url_rule("/report", "report", self.report)
        staff.add_url_rule("/report.csv", "report_csv", self.report_csv)

    def home(self) -> str:
        """Show the state of the knowledge, its problems, what is due, how much there is for each measure."""
        knowledge = self.desk.knowledge
        return render_template(
            "staff/home.html",
            state=self.desk.state,
            since=self.desk.state.since.astimezone(YUNFU_TIME),
            total=len(knowledge.entries),
            wordings=sum(len(entry.phrasings) for entry in knowledge.entries.values()),
            due=due(knowledge, datetime.now(YUNFU_TIME).date()),
            coverage=coverage(knowledge),
        )

    def why(self) -> str:
        """Say why a question is answered as it is."""
        typed = request.args.get("q", "").strip()[:500]
        return render_template("staff/why.html", typed=typed, lines=self.desk.why(typed) if typed else [])

    def report(self) -> str:
        """Show what people could not find."""
        days = _days()
        found = self.desk.report(days)
        return render_template(
            "staff/report.html",
            days=days,
            periods=PERIODS,
            report=found,
            entries=self.desk.knowledge.entries,
            kinds=KINDS,
            channels=CHANNELS,
            by_channel=stacked([(day.day, day.channels) for day in found.days], CHANNELS),
            by_kind=stacked([(day.day, day.kinds) for day in found.days], KINDS),
            shown=SHOWN,
        )

    def report_csv(self) -> Response:
        """Give the clusters as a table for a spreadsheet."""
        days = _days()
        entries = self.desk.knowledge.entries
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["次数", "差评", "例一", "例二", "例三", "最近的条目", "在哪"])
        for cluster in self.desk.report(days).clusters:
            entry = entries.get(cluster.nearest or "")
            examples = [_harmless(text) for text in (*cluster.examples, "", "")[:3]]
            where = [entry.question, f"{entry.path}:{entry.line}"] if entry else ["", ""]
            table.writerow([cluster.count, cluster.badly_rated, *examples, *where])
        name = f"attachment; filename=report-{days}-{datetime.now(UTC).date()}.csv"
        # The mark in front has spreadsheet programs read it as UTF-8.
        return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers={"Content-Disposition": name})


def due(knowledge: Knowledge, day: date) -> list[Due]:
    """Return the entries that are due for review on a day, the most pressing first."""
    found = []
    for entry in knowledge.entries.values():
        if entry.valid_until and entry.valid_until - day <= RUNS_OUT_WITHIN:
            word = "有效期已过" if entry.valid_until < day else "有效期快到"
            found.append(Due(entry, word, entry.valid_until))
        elif day - entry.checked > REVIEW_AFTER:
            found.append(Due(entry, "核对过了180天", entry.checked))
    return sorted(found, key=lambda one: (one.day, one.entry.id))


def coverage(knowledge: Knowledge) -> list[tuple[Measure, int, int]]:
    """Return each measure with how many entries and how many wordings it has."""
    entries = list(knowledge.entries.values())
    own = {number: [e for e in entries if number in e.measures] for number in knowledge.measures}
    return [(m, len(own[m.number]), sum(len(e.phrasings) for e in own[m.number])) for m in knowledge.measures.values()]


def _days() -> int:
    given = request.args.get("days", "")
    return int(given) if given.isascii() and given.isdigit() and int(given) in PERIODS else PERIODS[1]


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
