"""The frame of every page: templates, static files, what the header and footer show, the switch for large text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from flask import Blueprint, Response, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from bot.channels import Desk
from bot.channels.web import prose
from bot.config import Config

HERE = Path(__file__).parent
YUNFU_TIME = timezone(timedelta(hours=8))
SIZE_COOKIE = "text"
SECONDS_A_YEAR = 31_536_000


def make_site(desk: Desk, config: Config) -> Blueprint:
    """Return the blueprint of the pages, with what their templates need; views are added by others."""
    site = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/web")
    # The address of a static file changes with its content, so a phone may keep it.
    site.record_once(lambda state: state.app.config.update(SEND_FILE_MAX_AGE_DEFAULT=SECONDS_A_YEAR))
    site.add_app_template_filter(_calls(desk), "calls")
    site.app_context_processor(lambda: _frame(config))
    site.add_app_template_global(_static_addresses(), "static_address")
    site.add_url_rule("/size/<any(large, normal):size>", "size", set_size)
    site.after_request(_fresh)
    return site


def today() -> date:
    """Return the day it is in Yunfu."""
    return datetime.now(UTC).astimezone(YUNFU_TIME).date()


def base_address(config: Config) -> str:
    """Return where the site is reached from outside, without a slash at the end."""
    return (config.public_url or request.url_root).rstrip("/")


def set_size(size: str) -> BaseResponse:
    """Remember the text size and go back; a link, as the same size may be asked for twice without harm."""
    response = redirect(_own_path(request.args.get("back", "/")), 303)
    secure = request.is_secure
    response.set_cookie(SIZE_COOKIE, size, SECONDS_A_YEAR, httponly=True, samesite="Lax", secure=secure)
    return response


def _own_path(path: str) -> str:
    """Return a path of this site; //host and /\\host would lead away from it."""
    return path if path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() else "/"


def _frame(config: Config) -> dict[str, object]:
    """Return what every template may use; ``back`` is where the size switch returns to."""
    return {
        "publisher": config.publisher,
        "icp_number": config.icp_number,
        "large": request.cookies.get(SIZE_COOKIE) == "large",
        "back": request.full_path.rstrip("?") if request.method == "GET" else "/",
    }


def _calls(desk: Desk) -> Callable[[str], Markup]:
    return lambda text: prose.with_calls(text, desk.knowledge.hotlines)


def _static_addresses() -> Callable[[str], str]:
    """Return what gives a static file's address with a mark of its content, so that a phone never keeps an old one."""
    marks = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in (HERE / "static").iterdir()}
    return lambda name: url_for("web.static", filename=name, v=marks[name])


def _fresh(response: Response) -> Response:
    """Have pages asked for again each time: the size switch and an edit of the knowledge base show at once."""
    if request.endpoint != "web.static":
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
