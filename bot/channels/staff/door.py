"""The desk's door: one password, five tries, eight hours."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.security import check_password_hash
from werkzeug.wrappers import Response as BaseResponse

from bot.channels.staff.desk import StaffDesk
from bot.config import Config

STAYS = timedelta(hours=8)
"""A working day: after it the password is asked for again."""

WRONG = "密码不对。连错五次，要等15分钟。"
LOCKED = "错得太多了，15分钟后再试。"
STALE = "页面放得太久了，请再登录一次。"
OPEN_TO_ALL = ("staff.login", "staff.enter", "staff.static")


class Door:
    """Lets staff in and keeps everybody else out."""

    def __init__(self, desk: StaffDesk, config: Config) -> None:
        self._desk = desk
        self._hash = config.staff_password_hash
        # Part of every session: a new password ends the sessions of the old one.
        self._mark = hashlib.sha256(self._hash.encode()).hexdigest()[:16]

    def add_to(self, staff: Blueprint) -> None:
        """Add the login, and a lock before everything else."""
        staff.before_request(self.guard)
        staff.register_error_handler(CSRFError, self.stale)
        staff.add_url_rule("/login", "login", self.login)
        staff.add_url_rule("/login", "enter", self.enter, methods=["POST"])
        staff.add_url_rule("/logout", "leave", self.leave, methods=["POST"])

    def guard(self) -> BaseResponse | None:
        """Send whoever is not logged in to the login."""
        if request.endpoint in OPEN_TO_ALL or self._is_in():
            return None
        return redirect(url_for("staff.login"), 303)

    def login(self) -> BaseResponse:
        """Show the login."""
        return redirect(url_for("staff.home"), 303) if self._is_in() else self._page("", 200)

    def enter(self) -> BaseResponse:
        """Take a password; it is not even looked at when there were too many tries."""
        address = request.remote_addr or ""
        if not self._desk.may_try(address, datetime.now(UTC)):
            return self._page(LOCKED, 429)
        if not check_password_hash(self._hash, request.form.get("password", "")[:200]):
            return self._page(WRONG, 403)
        self._desk.logged_in(address)
        session.clear()
        session["staff"] = {"since": datetime.now(UTC).isoformat(), "mark": self._mark}
        return redirect(url_for("staff.home"), 303)

    def leave(self) -> BaseResponse:
        """End the session."""
        session.clear()
        return redirect(url_for("staff.login"), 303)

    def stale(self, _error: CSRFError) -> BaseResponse:
        """Answer a form without a good token."""
        return self._page(STALE, 400)

    def _is_in(self) -> bool:
        kept = session.get("staff")
        if not isinstance(kept, dict) or not hmac.compare_digest(str(kept.get("mark")), self._mark):
            return False
        since = datetime.fromisoformat(kept["since"])
        return timedelta(0) <= datetime.now(UTC) - since < STAYS

    @staticmethod
    def _page(notice: str, status: int) -> Response:
        return make_response(render_template("staff/login.html", notice=notice), status)
