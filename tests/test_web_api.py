"""The JSON API: what it answers, what it refuses, and that its description is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from web_site import SiteMaker, rows

from bot.catalogue import Knowledge

pytest_plugins = ["web_fixtures"]

SAME_EACH_TIME = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
QUESTION = "送单受伤了怎么办"
FIELDS = [
    *("id", "kind", "text", "entry", "measures", "office", "door", "sources", "choices", "refer", "score", "version"),
    "conversation",
]


def test_a_reply_has_all_its_fields_and_the_conversation_goes_on(visitor: FlaskClient, tmp_path: Path) -> None:
    first: Any = visitor.post("/api/ask", json={"q": QUESTION}).json
    second: Any = visitor.post("/api/ask", json={"q": "要什么材料", "conversation": first["conversation"]}).json
    assert list(first) == FIELDS
    assert second["conversation"] == first["conversation"]
    assert len({row.person for row in rows(tmp_path, "turns")}) == 1
    visitor.post("/api/ask", json={"q": "要什么材料", "conversation": "made up"})
    assert len({row.person for row in rows(tmp_path, "turns")}) == 2


def test_a_choice_of_a_reply_is_picked_by_its_text(visitor: FlaskClient) -> None:
    first: Any = visitor.post("/api/ask", json={"q": "我受伤了"}).json
    assert first["kind"] == "choices"
    picked = {"q": first["choices"][0]["text"], "conversation": first["conversation"]}
    second: Any = visitor.post("/api/ask", json=picked).json
    assert second["kind"] in ("choices", "answer")
    assert second["text"] != first["text"]


def test_the_same_id_gets_the_same_reply(visitor: FlaskClient) -> None:
    body = {"q": QUESTION, "id": "question-0001", "conversation": "c" * 43}
    replies = [visitor.post("/api/ask", json=body).json for _ in range(2)]
    other: Any = visitor.post("/api/ask", json={**body, "conversation": "d" * 43}).json
    assert replies[0] == replies[1]
    assert other["id"] != (replies[0] or {})["id"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "refused"),
    [
        ("POST", "/api/ask", {"json": {}}, (400, "bad_request")),
        ("POST", "/api/ask", {"json": []}, (400, "bad_request")),
        ("POST", "/api/ask", {"data": b"null", "content_type": "application/json"}, (400, "bad_request")),
        ("POST", "/api/ask", {"json": {"q": "  "}}, (400, "bad_request")),
        ("POST", "/api/ask", {"json": {"q": 5}}, (400, "bad_request")),
        ("POST", "/api/ask", {"json": {"q": ["押金"]}}, (400, "bad_request")),
        ("POST", "/api/ask", {"json": {"q": "押金", "conversation": 5}}, (400, "bad_request")),
        ("POST", "/api/ask", {"json": {"q": "押金", "id": "短"}}, (400, "bad_request")),
        ("POST", "/api/ask", {"data": b"{", "content_type": "application/json"}, (400, "bad_request")),
        ("POST", "/api/ask", {"data": b"\xff\xfe", "content_type": "application/json"}, (400, "bad_request")),
        ("POST", "/api/ask", {"data": b"[" * 60_000, "content_type": "application/json"}, (400, "bad_request")),
        ("POST", "/api/ask", {"data": b"1" * 60_000, "content_type": "application/json"}, (400, "bad_request")),
        ("POST", "/api/ask", {"data": {"q": "押金"}}, (415, "unsupported_media_type")),
        ("POST", "/api/ask", {"data": b"x"}, (415, "unsupported_media_type")),
        ("POST", "/api/ask", {"json": {"q": "x" * 70_000}}, (413, "too_large")),
        ("GET", "/api/ask", {}, (405, "method_not_allowed")),
        ("DELETE", "/api/entries", {}, (405, "method_not_allowed")),
        ("GET", "/api/nothing", {}, (404, "not_found")),
        ("POST", "/api/rate", {"json": {"id": "0" * 32, "useful": True}}, (404, "not_found")),
        ("POST", "/api/rate", {"json": {"id": "0" * 32, "useful": "yes"}}, (400, "bad_request")),
        ("POST", "/api/rate", {"json": {"id": "0" * 32, "useful": True, "reason": "x" * 501}}, (400, "bad_request")),
    ],
)
def test_errors_are_json(visitor: FlaskClient, method: str, path: str, sent: dict[str, Any], refused: tuple[int, str]) -> None:
    response = visitor.open(path, method=method, **sent)
    body: Any = response.json
    assert (response.status_code, body["error"]["code"]) == refused
    assert body["error"]["message"]
    assert list(body) == ["error"]


def test_odd_text_is_answered_not_broken(visitor: FlaskClient) -> None:
    for body in (b'{"q": "\\ud800\\u0000"}', b'{"q": "\\u0000"}', '{"q": "😀"}'.encode()):
        assert visitor.post("/api/ask", data=body, content_type="application/json").status_code == 200


def test_rating(visitor: FlaskClient, tmp_path: Path) -> None:
    turn: Any = visitor.post("/api/ask", json={"q": QUESTION}).json
    for useful in (True, False):
        response = visitor.post("/api/rate", json={"id": turn["id"], "useful": useful, "reason": "好"})
        assert response.json == {"id": turn["id"], "useful": useful}
    kept = [(row.turn, bool(row.useful), row.reason) for row in rows(tmp_path, "ratings")]
    assert kept == [(turn["id"], False, "好")]


def test_entries_are_listed_with_a_tag(make_site: SiteMaker, knowledge: Knowledge) -> None:
    client = make_site(public_url="https://bot.example").test_client()
    response = client.get("/api/entries")
    body: Any = response.json
    entry = knowledge.entries["injury-claim-how"]
    assert [row["id"] for row in body["entries"]] == list(knowledge.entries)
    assert next(row for row in body["entries"] if row["id"] == entry.id) == {
        "id": entry.id,
        "question": entry.question,
        "short": entry.answer.short,
        "measures": list(entry.measures),
        "offices": list(entry.offices),
        "door": entry.door,
        "checked": str(entry.checked),
        "valid_until": str(entry.valid_until),
        "url": f"https://bot.example/a/{entry.id}",
    }
    again = client.get("/api/entries", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_no_cookie_is_set_or_read(visitor: FlaskClient) -> None:
    response = visitor.post("/api/ask", json={"q": QUESTION})
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/ask"), ("POST", "/api/rate"), ("GET", "/api/entries"), ("GET", "/api/openapi.json")],
)
def test_the_description_is_true(make_site: SiteMaker, method: str, path: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_wsgi("/api/openapi.json", make_site())[path][method]
    if method == "GET" and mode is GenerationMode.NEGATIVE:
        pytest.skip("takes nothing that could be wrong")

    @SAME_EACH_TIME
    @given(case=operation.as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        case.call_and_validate()

    hold()


def test_everything_described_is_tested(visitor: FlaskClient) -> None:
    document: Any = visitor.get("/api/openapi.json").json
    assert {(method.upper(), path) for path, item in document["paths"].items() for method in item} == {
        ("POST", "/api/ask"),
        ("POST", "/api/rate"),
        ("GET", "/api/entries"),
        ("GET", "/api/openapi.json"),
    }
