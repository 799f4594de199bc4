"""The chat page: a question in, the reply below it; whole pages for plain forms, the new part for the script."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf

from bot.catalogue import Knowledge, MenuItem
from bot.channels import Desk
from bot.channels.web import prose
from bot.channels.web.safety import Limit, small_bodies_only
from bot.channels.web.visitor import COOKIE, fresh_id, fresh_token, id_from, message, remember, token_from, written
from bot.config import Config
from bot.model import MAX_READ, Reply

MOST_REASON = 500
RATED_KINDS = ("answer", "choices", "none")


@dataclass(frozen=True, slots=True)
class Shown:
    """One turn as the page shows it; ``calls`` are hotlines to ring at once, ``guide`` the id of a picture or None."""

    asked: str
    reply: Reply
    blocks: list[prose.Block]
    calls: list[str]
    guide: str | None
    rated: bool


class Chat:
    """The views of the chat page."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self.desk = desk
        self.config = config

    def add_to(self, site: Blueprint, limit: Limit, csrf: CSRFProtect) -> None:
        """Add the chat's addresses; every form of the site must carry a token against forgery."""
        site.before_request(small_bodies_only)
        site.before_request(csrf.protect)
        site.register_error_handler(CSRFError, self.stale)
        site.add_url_rule("/", "chat", self.show)
        site.add_url_rule("/", "ask", limit(self.ask), methods=["POST"])
        site.add_url_rule("/rate", "rate", limit(self.rate), methods=["POST"])
        site.add_url_rule("/restart", "restart", self.restart, methods=["POST"])
        site.add_url_rule("/forget", "forget", limit(self.forget), methods=["POST"])

    def show(self) -> Response:
        """Show the page before a question; ``?q=`` fills the box."""
        return self._page(token_from(request.cookies.get(COOKIE)), draft=request.args.get("q", "")[:MAX_READ])

    def ask(self) -> Response:
        """Answer a typed question, a tapped choice (both ``q``), or open a service or an entry (``open``)."""
        token = token_from(request.cookies.get(COOKIE))
        question_id = id_from(request.form.get("id"))
        target = written(request.form.get("open", ""))
        text = opened(self.desk.knowledge, target) if target else written(request.form.get("q", ""))
        if not text:
            return self._page(token, notice="先写下你的问题，再点“发送”。", status=400)
        said = message(token, question_id, target, "open") if target else message(token, question_id, text)
        return self._page(token, shown(text, self.desk.answer(said), self.desk.knowledge))

    def rate(self) -> Response:
        """Keep 有用 or 没用; after 没用 the reason may follow in a second form."""
        turn, useful = request.form.get("id", ""), request.form.get("useful") == "1"
        reason = written(request.form.get("reason", ""))[:MOST_REASON]
        if not self.desk.rate(turn[:64], useful, reason, datetime.now(UTC)):
            abort(404)
        template = "web/_rated.html" if wants_part() else "web/rated.html"
        return make_response(render_template(template, turn=turn, useful=useful, reason=reason))

    def restart(self) -> Response:
        """Begin a conversation that knows nothing of the one before."""
        response = make_response(redirect(url_for("web.chat"), 303))
        remember(response, request, fresh_token(), self.config)
        return response

    def forget(self) -> Response:
        """Delete all that is kept of this visitor, cookie included."""
        token = request.cookies.get(COOKIE)
        if token:
            self.desk.forget("web", token)
        response = make_response(render_template("web/forgotten.html"))
        response.delete_cookie(COOKIE)
        return response

    def stale(self, _error: CSRFError) -> Response:
        """Give a form whose token is no longer good back with a good one; what was typed is kept."""
        if request.endpoint == "web.ask":
            token = token_from(request.cookies.get(COOKIE))
            draft = written(request.form.get("q", ""))
            return self._page(token, draft=draft, notice="页面放得太久了，请再点一次“发送”。", status=400)
        notice = "页面放得太久了，请返回上一页刷新后再试。"
        response = make_response(render_template("web/error.html", title="请再试一次", advice=notice), 400)
        response.headers["X-Form-Token"] = generate_csrf()
        return response

    def _page(self, token: str, turn: Shown | None = None, draft: str = "", notice: str = "", status: int = 200) -> Response:
        """Return the page, or only its new part when the script asked; both set the conversation's cookie."""
        knowledge = self.desk.knowledge
        welcome = knowledge.smalltalk.get("welcome")
        page = render_template(
            "web/_part.html" if wants_part() else "web/chat.html",
            turn=turn,
            draft=draft,
            notice=notice,
            question_id=fresh_id(),
            welcome=prose.blocks(welcome.reply) if welcome else [],
            suggestions=suggestions(knowledge),
            conversation=hashlib.sha256(token.encode()).hexdigest()[:12],
        )
        response = make_response(page, status)
        if status != 200:  # the script takes the new token from here and sends again
            response.headers["X-Form-Token"] = generate_csrf()
        remember(response, request, token, self.config)
        return response


def wants_part() -> bool:
    """Return whether the page's own script asks, which needs only what is new."""
    return request.headers.get("X-Part") == "1"


def suggestions(knowledge: Knowledge) -> list[MenuItem]:
    """Return the main services that can be opened here."""
    return [item for item in knowledge.main_services if opened(knowledge, item.target)]


def opened(knowledge: Knowledge, target: str) -> str:
    """Return the words that stand for opening an entry, service or guide; empty when there is no such id."""
    texts = {item.target: item.text for item in knowledge.main_services}
    entry, guide, service = knowledge.entries.get(target), knowledge.guides.get(target), knowledge.services.get(target)
    found = (entry and entry.question) or (guide and guide.title) or (service and service.name)
    return texts.get(target, found) if found else ""


def shown(asked: str, reply: Reply, knowledge: Knowledge) -> Shown:
    """Return a turn as the page shows it."""
    option = next((choice.option for choice in reply.choices if choice.option), None)
    guide = option.split("/")[0] if option else None
    return Shown(
        asked=asked,
        reply=reply,
        blocks=prose.blocks(reply.body),
        calls=_calls(reply, knowledge),
        guide=guide if guide in knowledge.guides else None,
        rated=reply.kind in RATED_KINDS,
    )


def _calls(reply: Reply, knowledge: Knowledge) -> list[str]:
    """Return the numbers that get a button of their own: in danger all that are named, else the one referred to."""
    if reply.kind == "emergency":
        return prose.hotlines_in(reply.body, knowledge.hotlines)[:4]
    return [reply.refer.phone] if reply.refer and reply.refer.phone else []
