"""The staff's desk, ``/staff``: behind a login, the state of the knowledge, why, the report, an editor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from flask import Blueprint, Flask, Response, request, url_for

from bot.channels.staff.desk import StaffDesk
from bot.channels.staff.door import Door
from bot.channels.staff.editor import Editor
from bot.channels.staff.pages import Pages
from bot.config import Config

__all__ = ["register"]

HERE = Path(__file__).parent
MOST_BYTES = 3 * 1024 * 1024
"""The largest form read here: a file of 150 kB of Chinese, which a form encodes in three times as much, and room."""


def register(app: Flask, desk: StaffDesk, config: Config) -> None:
    """Add the desk to an application that has the web channel already; without a password there is no desk (404)."""
    if not config.staff_password_hash:
        return
    staff = Blueprint("staff", __name__, url_prefix="/staff", template_folder="templates", static_folder="static")
    staff.before_request(_larger_forms)
    staff.before_request(app.extensions["csrf"].protect)
    staff.after_request(_never_kept)
    staff.app_template_global("staff_address")(_addresses())
    Door(desk, config).add_to(staff)
    Pages(desk).add_to(staff)
    Editor(desk).add_to(staff)
    app.register_blueprint(staff)


def _larger_forms() -> None:
    request.max_content_length = MOST_BYTES
    request.max_form_memory_size = MOST_BYTES


def _never_kept(response: Response) -> Response:
    """Have no browser or proxy keep what staff see; static files are the same for all."""
    if request.endpoint != "staff.static":
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _addresses() -> Callable[[str], str]:
    """Return what gives a static file's address with a mark of its content."""
    marks = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in (HERE / "static").iterdir()}
    return lambda name: url_for("staff.static", filename=name, v=marks[name])
