"""The JSON API: ask, rate, list the entries; nobody is known by a cookie here, so no forgery token is needed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from flask import Blueprint, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from werkzeug.wrappers import Response

from bot.catalogue import Entry
from bot.channels import Desk
from bot.channels.web.openapi import ID_PATTERN, TURN_PATTERN, document
from bot.channels.web.safety import Limit, small_bodies_only
from bot.channels.web.site import base_address
from bot.channels.web.visitor import id_from, message, token_from, written
from bot.config import Config

Body = TypeVar("Body", bound=BaseModel)


class Question(BaseModel):
    """What ``/api/ask`` takes; a conversation that is no token begins a new one."""

    model_config = ConfigDict(strict=True)
    q: str
    conversation: str | None = None
    id: Annotated[str, StringConstraints(pattern=ID_PATTERN)] | None = None


class Rating(BaseModel):
    """What ``/api/rate`` takes."""

    model_config = ConfigDict(strict=True)
    id: Annotated[str, StringConstraints(pattern=TURN_PATTERN)]
    useful: bool
    reason: Annotated[str, StringConstraints(max_length=500)] | None = None


class Api:
    """The views of the API."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self.desk = desk
        self.config = config

    def blueprint(self, limit: Limit) -> Blueprint:
        """Return the API's addresses."""
        api = Blueprint("api", __name__, url_prefix="/api")
        api.record_once(lambda state: _readable_json(state.app.json))
        api.before_request(small_bodies_only)
        api.add_url_rule("/ask", "ask", limit(self.ask), methods=["POST"])
        api.add_url_rule("/rate", "rate", limit(self.rate), methods=["POST"])
        api.add_url_rule("/entries", "entries", limit(self.entries))
        api.add_url_rule("/openapi.json", "openapi", self.openapi)
        return api

    def ask(self) -> Response:
        """Answer a question."""
        body = read(Question)
        if not body.q.strip():
            abort(400, "q：要写问题，不能空")
        token = token_from(body.conversation)
        reply = self.desk.answer(message(token, id_from(body.id), written(body.q)))
        return jsonify(reply.public() | {"conversation": token})

    def rate(self) -> Response:
        """Keep what a person thought of a reply."""
        body = read(Rating)
        if not self.desk.rate(body.id, body.useful, written(body.reason or ""), datetime.now(UTC)):
            abort(404)
        return jsonify({"id": body.id, "useful": body.useful})

    def entries(self) -> Response:
        """List all entries; the tag lets a reader ask whether anything changed."""
        knowledge = self.desk.knowledge
        rows = [listed(entry, base_address(self.config)) for entry in knowledge.entries.values()]
        response = jsonify({"version": knowledge.version, "entries": rows})
        response.set_etag(knowledge.version)
        return response.make_conditional(request)

    def openapi(self) -> Response:
        """Describe the API to programs."""
        return jsonify(document())


def read(form: type[Body]) -> Body:
    """Return the request's JSON as that form; 415 when it is no JSON, 400 with each wrong field."""
    try:
        return form.model_validate(request.get_json())
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc'])) or '整个内容'}：{e['msg']}" for e in error.errors()]
        abort(400, "字段不对：" + "；".join(wrong))
    except RecursionError:  # brackets in brackets in brackets: the parser gives up before the size limit does
        abort(400, "JSON 嵌套太深")


def listed(entry: Entry, base: str) -> dict[str, object]:
    """Return an entry as the list shows it."""
    return {
        "id": entry.id,
        "question": entry.question,
        "short": entry.answer.short,
        "measures": list(entry.measures),
        "offices": list(entry.offices),
        "door": entry.door,
        "checked": entry.checked.isoformat(),
        "valid_until": entry.valid_until.isoformat() if entry.valid_until else None,
        "url": f"{base}/a/{entry.id}",
    }


def _readable_json(provider: Any) -> None:
    """Write Chinese as it is, and fields in the order of the README."""
    provider.ensure_ascii = False
    provider.sort_keys = False
