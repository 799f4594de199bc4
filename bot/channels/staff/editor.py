"""The editor for those without a terminal: one file in a box, checked, previewed, published, taken back."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bot.catalogue import Entry
from bot.channels.staff.desk import StaffDesk
from bot.channels.web.drawing import qr_code
from bot.channels.web.pages import expired, reachable_bureaus
from bot.channels.web.search import search
from bot.curation.staffing import Listed, Preview, Published, Sheet
from bot.rendering import entry_text

YUNFU_TIME = timezone(timedelta(hours=8))
DAYS = (0, 7, 30, 180)
USUAL_DAYS = 30
NOTICES = {
    "live": "已发布，机器人现在就按新的答。",
    "saved": "已保存。但知识库里还有别的问题，改好以后才会一起生效：",
    "refused": "没有发布：这样改会出下面的问题。你写的还在框里。",
    "conflict": "没有发布：你打开以后，别人改过这个文件。下面是现在的内容，把你的改动并进去再发布。你写的在最下面。",
    "same": "内容没有变化，不用发布。",
}
UNWRITTEN = "没有发布：文件写不进去（磁盘满了、没有权限，或者别人正在发布）。你写的还在框里。"
GONE = "没有这个旧版本了。"
TAKEN_AWAY = "已经去掉这个文件，机器人不再按它回答。"
ADDED = "「{wording}」已经写在第{line}行，还没有发布：看一看，再点“检查和预览”“发布”。"
NOT_ADDED = "没有找到要加到哪一条（可能刚被改过）：请自己找到那条的 ### 问法，加一行。"
STARTED = "问法已经写好，把「（待写）」的地方填上。填完再发布；现在还没有存下来。"
WORDINGS = "### 问法"
LISTS = "词、名单和固定的话"
GROUPS = {"问答（一个文件一项服务）": "faq", LISTS: "", "引导提问": "guides", "依据（文件里用到的事实）": "sources"}
"""Titles of the list and the folders of the files under them."""

NO_NAME = re.compile(r"[^\w、，（）-]", re.U)
"""What no file made here has in its name."""

MOST_IN_NAME = 30
MOST_TYPED = 200


@dataclass(frozen=True, slots=True)
class View:
    """What the page says besides the file.

    A notice (``good`` or not), a preview, one's own text after a conflict, and the line to begin at (0 for none).
    """

    notice: str = ""
    good: bool = False
    preview: Preview | None = None
    mine: str = ""
    line: int = 0


class Editor:
    """The views."""

    def __init__(self, desk: StaffDesk) -> None:
        self.desk = desk

    def add_to(self, staff: Blueprint) -> None:
        """Add the editor's addresses."""
        staff.add_url_rule("/files", "files", self.files)
        staff.add_url_rule("/new", "new", self.new)
        staff.add_url_rule("/edit/<path:path>", "edit", self.edit)
        staff.add_url_rule("/edit/<path:path>", "act", self.act, methods=["POST"])
        staff.add_url_rule("/check/<path:path>", "check", self.check, methods=["POST"])
        staff.add_url_rule("/page/<path:path>", "page", self.page, methods=["POST"])
        staff.add_url_rule("/undo/<path:path>", "undo", self.undo, methods=["POST"])

    def files(self) -> str:
        """List the files, and the entries that have what is looked for."""
        typed = request.args.get("q", "").strip()[:MOST_TYPED]
        files = self.desk.files()
        groups = {title: [file for file in files if _group(file) == title] for title in GROUPS}
        found = search(self.desk.knowledge.entries.values(), typed)
        return render_template("staff/files.html", groups=groups, typed=typed, found=found)

    def edit(self, path: str) -> str:
        """Open a file; with a wording to add it stands there already, not yet published."""
        sheet = self._sheet(path)
        wording = " ".join(request.args.get("add", "").split())[:MOST_TYPED]
        if not wording:
            return self._show(sheet, sheet.text, View())
        text, line = with_wording(sheet.text, request.args.get("entry", ""), wording)
        return self._show(
            sheet, text, View(ADDED.format(wording=wording, line=line) if line else NOT_ADDED, bool(line), line=line)
        )

    def new(self) -> BaseResponse | str:
        """Begin a new file: all but the answer of what riders asked is written already."""
        asked = [" ".join(text.split())[:MOST_TYPED] for text in request.args.getlist("q") if text.strip()]
        name = NO_NAME.sub("", request.args.get("name", "") or "".join(asked[:1])).strip(" .")[:MOST_IN_NAME]
        path = f"faq/{name}.md"
        sheet = self.desk.blank(path)
        if sheet is None:
            return redirect(url_for("staff.edit", path=path) if self.desk.sheet(path) else url_for("staff.files"), 303)
        return self._show(sheet, self.desk.draft(asked or [name]), View(STARTED))

    def act(self, path: str) -> Response:
        """Preview or publish what is in the box."""
        sheet = self._sheet(path)
        text, mark = _text(), request.form.get("mark", "")
        if request.form.get("do") != "publish":
            preview = self.desk.preview(path, text, _days())
            return make_response(self._show(Sheet(path, sheet.text, mark), text, View(preview=preview)))
        try:
            done = self.desk.publish(path, text, mark)
        except (OSError, TimeoutError):
            return make_response(self._show(Sheet(path, sheet.text, mark), text, View(UNWRITTEN)), 503)
        return self._published(done, text)

    def check(self, path: str) -> str:
        """Return what is wrong with what is in the box: the script asks while somebody types."""
        sheet = self._sheet(path)
        stale = sheet.mark != request.form.get("mark", "")
        return render_template("staff/_troubles.html", troubles=self.desk.check(path, _text()), path=path, stale=stale)

    def page(self, path: str) -> str:
        """Show an entry of the draft as its own page would."""
        self._sheet(path)
        preview = self.desk.preview(path, _text(), 0)
        entry = next((one for one in preview.entries if one.id == request.form.get("entry")), None) or abort(404)
        knowledge = self.desk.knowledge
        address = f"{request.url_root.rstrip('/')}/a/{entry.id}"
        return render_template(
            "web/entry.html",
            entry=entry,
            expired=expired(entry, datetime.now(YUNFU_TIME).date()),
            measures=[knowledge.measures[number] for number in entry.measures if number in knowledge.measures],
            offices=[office for office in knowledge.offices.values() if office.name in entry.offices],
            bureaus=reachable_bureaus(knowledge),
            related=[other for other in preview.entries if other.id != entry.id and other.id in knowledge.entries],
            address=address,
            qr=qr_code(address),
        )

    def undo(self, path: str) -> Response:
        """Put an older version back in place."""
        sheet = self._sheet(path)
        try:
            done = self.desk.undo(path, request.form.get("copy", ""), request.form.get("mark", ""))
        except (OSError, TimeoutError):
            return make_response(self._show(sheet, sheet.text, View(UNWRITTEN)), 503)
        if done is None:
            return make_response(self._show(sheet, sheet.text, View(GONE)), 404)
        return self._published(done, done.sheet.text)

    def _sheet(self, path: str) -> Sheet:
        """Return the file that is worked on; one that is not there yet only for who began it."""
        begun = request.form.get("mark") == ""
        return self.desk.sheet(path) or (self.desk.blank(path) if begun else None) or abort(404)

    def _published(self, done: Published, text: str) -> Response:
        """Show what became of a publication; after a conflict the box has the others' text, and one's own stands below."""
        conflict = done.outcome == "conflict"
        kept = done.outcome == "refused"
        gone = done.outcome == "live" and not done.sheet.mark
        notice = (TAKEN_AWAY if gone else NOTICES[done.outcome]) + (f"（{done.note}）" if done.note else "")
        page = self._show(
            done.sheet,
            text if kept else done.sheet.text,
            View(
                notice=notice,
                good=done.outcome == "live",
                preview=Preview(done.problems) if done.problems else None,
                mine=text if conflict else "",
            ),
        )
        return make_response(page, 409 if conflict else 422 if kept else 200)

    def _show(self, sheet: Sheet, text: str, view: View) -> str:
        today = datetime.now(YUNFU_TIME).date()
        entries = view.preview.entries if view.preview else ()
        live = self.desk.knowledge.entries
        phone = [(entry, entry_text(entry, today)) for entry in entries]
        return render_template(
            "staff/edit.html",
            sheet=sheet,
            text=text,
            view=view,
            changed=[(entry, shown) for entry, shown in phone if not _same(entry, live.get(entry.id))],
            unchanged=[(entry, shown) for entry, shown in phone if _same(entry, live.get(entry.id))],
            headings=headings(text),
            days=DAYS,
            chosen_days=_days(),
            copies=[(copy, copy.at.astimezone(YUNFU_TIME)) for copy in self.desk.copies(sheet.path)],
        )


def with_wording(text: str, entry: str, wording: str) -> tuple[str, int]:
    """Return a file with one more way of asking an entry (id), and its line (from 1); 0 when there is no such entry."""
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines) if line.startswith("## ") and f"{{#{entry}}}" in line), None)
    asked = _find(lines, WORDINGS, start + 1, "## ") if start is not None else None
    if asked is None:
        return text, 0
    end = next((n for n in range(asked + 1, len(lines)) if lines[n].startswith("#")), len(lines))
    last = max((n for n in range(asked + 1, end) if lines[n].startswith("- ")), default=asked)
    added = [f"- {wording}"] if last > asked else ["", f"- {wording}"]
    return "\n".join([*lines[: last + 1], *added, *lines[last + 1 :]]), last + 1 + len(added)


def _find(lines: list[str], heading: str, start: int, until: str) -> int | None:
    """Return where a heading stands before the next one of the kind ``until``."""
    for number in range(start, len(lines)):
        if lines[number].strip() == heading:
            return number
        if lines[number].startswith(until):
            return None
    return None


def headings(text: str) -> list[tuple[int, str]]:
    """Return the second-level headings of a file with their lines (from 1), without ids."""
    numbered = enumerate(text.split("\n"), 1)
    return [(n, line.removeprefix("## ").split("{#")[0].strip()) for n, line in numbered if line.startswith("## ")]


def _same(entry: Entry, live: Entry | None) -> bool:
    """Return whether an entry says what the one that answers says, wherever in the file it stands."""
    return live is not None and replace(entry, line=0) == replace(live, line=0)


def _group(file: Listed) -> str:
    folder = file.path.partition("/")[0]
    return next((title for title, name in GROUPS.items() if name == folder), LISTS)


def _text() -> str:
    return request.form.get("text", "").encode("utf-8", "ignore").decode()


def _days() -> int:
    given = request.form.get("days", "")
    return int(given) if given in map(str, DAYS) else USUAL_DAYS
