"""The desk's pages to read: how things stand, what is due, why, what people could not find."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from flask import Blueprint, Response, render_template, request, stream_template
from flask_wtf.csrf import generate_csrf
from markdown_it import MarkdownIt
from markupsafe import Markup

from bot.catalogue import Entry, Knowledge, Measure
from bot.channels.staff.charts import stacked
from bot.channels.staff.desk import StaffDesk
from bot.curation.staffing import Report

REVIEW_AFTER = timedelta(days=180)
"""An entry checked longer ago than this is due for review."""

RUNS_OUT_WITHIN = timedelta(days=60)
"""An entry whose validity ends within this time is due for review."""

LATELY = 7
"""So many days back the first page looks."""

PERIODS = (7, 30, 90, 365)
SHOWN, SHOWN_AT_HOME = 30, 5
PROGRESS_EVERY = 1.0
PROGRESS_END = "……</p>"
"""How the line ends that says how far a report is."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GUIDE = MarkdownIt("commonmark", {"html": False}).enable("table")
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
        staff.add_url_rule("/report.xlsx", "report_xlsx", self.report_xlsx)
        staff.add_url_rule("/guide", "guide", self.guide)

    def home(self) -> str:
        """Show what is wrong, what riders could not find of late, what is due, how much there is for each measure."""
        knowledge = self.desk.knowledge
        missed = self.desk.missed(LATELY)
        return render_template(
            "staff/home.html",
            state=self.desk.state,
            since=self.desk.state.since.astimezone(YUNFU_TIME),
            total=len(knowledge.entries),
            wordings=sum(len(entry.phrasings) for entry in knowledge.entries.values()),
            missed=missed,
            open=[cluster for cluster in missed.clusters if cluster.now is None],
            days=LATELY,
            shown=SHOWN_AT_HOME,
            entries=knowledge.entries,
            due=due(knowledge, datetime.now(YUNFU_TIME).date()),
            coverage=coverage(knowledge),
        )

    def why(self) -> str:
        """Say why a question is answered as it is."""
        typed = request.args.get("q", "").strip()[:500]
        return render_template("staff/why.html", typed=typed, why=self.desk.why(typed) if typed else None, kinds=KINDS)

    def report(self) -> Response:
        """Show what people could not find; a big report says while it is made how far it is."""
        days = _days()
        generate_csrf()  # before the page is on its way: then no cookie can be set any more
        page = stream_template(
            "staff/report.html",
            days=days,
            periods=PERIODS,
            reading=Reading(self.desk, days),
            entries=self.desk.knowledge.entries,
            kinds=KINDS,
            channels=CHANNELS,
            by_channel=lambda found: stacked([(day.day, day.channels) for day in found.days], CHANNELS),
            by_kind=lambda found: stacked([(day.day, day.kinds) for day in found.days], KINDS),
            shown=SHOWN,
        )
        # nginx would wait for the whole page otherwise.
        return Response(_at_once(page), headers={"X-Accel-Buffering": "no"})

    def report_csv(self) -> Response:
        """Give the clusters as a table for a spreadsheet."""
        days = _days()
        return _download(self.desk.csv(Reading(self.desk, days).all()), "text/csv", f"report-{days}", "csv")

    def report_xlsx(self) -> Response:
        """Give the whole report as a spreadsheet."""
        days = _days()
        return _download(self.desk.xlsx(Reading(self.desk, days).all()), XLSX, f"report-{days}", "xlsx")

    def guide(self) -> str:
        """Show what staff are told about writing."""
        return render_template("staff/guide.html", guide=Markup(GUIDE.render(self.desk.guide())))  # noqa: S704 - HTML is off


class Reading:
    """A report that is being made: iterated over it says every so many seconds how many turns are read; then it is there."""

    def __init__(self, desk: StaffDesk, days: int, every: float = PROGRESS_EVERY) -> None:
        self._every = every
        self.total = desk.count(days)
        self.report = Report()
        self._steps = desk.report(days)

    def __iter__(self) -> Iterator[int]:
        """Yield how many turns are read."""
        told = time.monotonic()
        while True:
            try:
                done = next(self._steps)
            except StopIteration as end:
                self.report = end.value
                return
            if time.monotonic() - told > self._every:
                told = time.monotonic()
                yield done

    def all(self) -> Report:
        """Return the report when it is made."""
        for _ in self:
            pass
        return self.report


def _at_once(pieces: Iterable[str]) -> Iterator[str]:
    """Yield a page in as few pieces as show progress."""
    waiting: list[str] = []
    for piece in pieces:
        waiting.append(piece)
        if PROGRESS_END in piece:
            yield "".join(waiting)
            waiting.clear()
    yield "".join(waiting)


def _download(content: str | bytes, kind: str, name: str, ending: str) -> Response:
    disposition = f"attachment; filename={name}-{datetime.now(YUNFU_TIME).date()}.{ending}"
    return Response(content, mimetype=kind, headers={"Content-Disposition": disposition})


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
