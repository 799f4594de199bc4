"""The editor for those without a terminal: one file in a box, checked, previewed, published, taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from flask import Blueprint, Response, abort, make_response, render_template, request

from bot.channels.staff.desk import StaffDesk
from bot.channels.web.drawing import qr_code
from bot.channels.web.pages import expired, reachable_bureaus
from bot.curation.staffing import Preview, Published, Sheet
from bot.rendering import entry_text

YUNFU_TIME = timezone(timedelta(hours=8))
DAYS = (0, 7, 30, 180)
NOTICES = {
    "live": "已发布，机器人现在就按新的答。",
    "saved": "已保存。但知识库里还有别的问题，改好以后才会一起生效：",
    "refused": "没有发布：这样改会出下面的问题。你写的还在框里。",
    "conflict": "没有发布：你打开以后，别人改过这个文件。下面是现在的内容，把你的改动并进去再发布。你写的在最下面。",
    "same": "内容没有变化，不用发布。",
}
UNWRITTEN = "没有发布：文件写不进去（磁盘满了、没有权限，或者别人正在发布）。你写的还在框里。"
GONE = "没有这个旧版本了。"


@dataclass(frozen=True, slots=True)
class View:
    """What the page says besides the file: a notice (``good`` or not), a preview, and one's own text after a conflict."""

    notice: str = ""
    good: bool = False
    preview: Preview | None = None
    mine: str = ""


class Editor:
    """The views."""

    def __init__(self, desk: StaffDesk) -> None:
        self.desk = desk

    def add_to(self, staff: Blueprint) -> None:
        """Add the editor's addresses."""
        staff.add_url_rule("/files", "files", self.files)
        staff.add_url_rule("/edit/<path:path>", "edit", self.edit)
        staff.add_url_rule("/edit/<path:path>", "act", self.act, methods=["POST"])
        staff.add_url_rule("/check/<path:path>", "check", self.check, methods=["POST"])
        staff.add_url_rule("/page/<path:path>", "page", self.page, methods=["POST"])
        staff.add_url_rule("/undo/<path:path>", "undo", self.undo, methods=["POST"])

    def files(self) -> str:
        """List the files."""
        return render_template("staff/files.html", files=self.desk.files())

    def edit(self, path: str) -> str:
        """Open a file."""
        sheet = self._sheet(path)
        return self._show(sheet, sheet.text, View())

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
        self._sheet(path)
        return render_template("staff/_troubles.html", troubles=self.desk.check(path, _text()), path=path)

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
        return self.desk.sheet(path) or abort(404)

    def _published(self, done: Published, text: str) -> Response:
        """Show what became of a publication; after a conflict the box has the others' text, and one's own stands below."""
        conflict = done.outcome == "conflict"
        kept = done.outcome == "refused"
        notice = NOTICES[done.outcome] + (f"（{done.note}）" if done.note else "")
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
        return render_template(
            "staff/edit.html",
            sheet=sheet,
            text=text,
            view=view,
            phone=[(entry, entry_text(entry, today)) for entry in entries],
            days=DAYS,
            chosen_days=_days(),
            copies=[(copy, copy.at.astimezone(YUNFU_TIME)) for copy in self.desk.copies(sheet.path)],
        )


def _text() -> str:
    return request.form.get("text", "").encode("utf-8", "ignore").decode()


def _days() -> int:
    given = request.form.get("days", "")
    return int(given) if given in map(str, DAYS) else 0
