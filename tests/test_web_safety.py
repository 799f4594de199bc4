"""What protects the web channel: headers everywhere, limits per client, proxies, errors that look like the rest."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from web_site import SiteMaker, post, site_config

from bot.catalogue import Knowledge
from bot.channels import web
from bot.model import Message, Reply

pytest_plugins = ["web_fixtures"]

NEEDED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class BrokenDesk:
    """A desk whose answers fail as only a bug of ours would."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    def answer(self, message: Message) -> Reply:
        raise RuntimeError(f"a bug, at {message.id}")

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        raise NotImplementedError((turn_id, useful, reason, at))

    def forget(self, channel: str, user: str) -> None:
        raise NotImplementedError((channel, user))


@pytest.mark.parametrize("path", ["/", "/about", "/a/injury-claim-how", "/x", "/api/entries", "/api/x", "/web/chat.js"])
def test_headers_stand_on_every_response(visitor: FlaskClient, path: str) -> None:
    with visitor.get(path) as response:
        assert {name: response.headers.get(name) for name in NEEDED} == NEEDED
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["Permissions-Policy"]
        assert "Strict-Transport-Security" not in response.headers
    assert "unsafe" not in policy
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert rule in policy.split("; ")


def test_https_is_kept(visitor: FlaskClient) -> None:
    assert visitor.get("/about", base_url="https://bot.example").headers["Strict-Transport-Security"]


def test_a_client_that_asks_too_fast_is_told_kindly_and_others_go_on(make_site: SiteMaker) -> None:
    app = make_site(rate_limit="3 per minute")
    fast = app.test_client()
    assert [post(fast, "/", q="押金").status_code for _ in range(4)] == [200, 200, 200, 429]
    page = post(fast, "/", q="押金")
    told = fast.post("/api/ask", json={"q": "押金"})
    assert "问得太快了" in page.text
    assert int(page.headers["Retry-After"]) <= 60
    assert (told.status_code, told.json["error"]["code"]) == (429, "too_many_requests")  # type: ignore[index]
    assert "Retry-After" in told.headers
    assert fast.get("/a/injury-claim-how").status_code == 200
    other = app.test_client().post("/api/ask", json={"q": "押金"}, environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
    assert other.status_code == 200


@pytest.mark.parametrize(("proxies", "statuses"), [(0, [200, 429]), (1, [200, 200])])
def test_a_client_is_told_apart_behind_proxies_that_are_trusted_only(
    make_site: SiteMaker, proxies: int, statuses: list[int]
) -> None:
    client = make_site(rate_limit="1 per minute", trusted_proxies=proxies).test_client()
    answers = [
        client.post("/api/ask", json={"q": "押金"}, headers={"X-Forwarded-For": address}).status_code
        for address in ("10.0.0.1", "10.0.0.2")
    ]
    assert answers == statuses


def test_a_trusted_proxy_says_whether_it_was_https(make_site: SiteMaker) -> None:
    client = make_site(trusted_proxies=1).test_client()
    cookies = client.get("/", headers={"X-Forwarded-Proto": "https"}).headers.getlist("Set-Cookie")
    assert cookies
    assert all("Secure" in cookie for cookie in cookies)


def test_a_bug_of_ours_gets_an_apology(knowledge: Knowledge, tmp_path: Path) -> None:
    app = Flask("bot")
    web.register(app, BrokenDesk(knowledge), site_config(tmp_path))
    client = app.test_client()
    page, told = post(client, "/", q="押金"), client.post("/api/ask", json={"q": "押金"})
    assert (page.status_code, told.status_code) == (500, 500)
    assert "不是你的错" in page.text
    assert 'href="tel:12333"' in page.text
    assert told.json["error"]["code"] == "internal"  # type: ignore[index]
    assert "a bug" not in page.text + told.text


@pytest.mark.parametrize(
    ("method", "path", "question", "status", "title"),
    [
        ("GET", "/nothing", "", 404, "没有这一页"),
        ("DELETE", "/", "", 405, "不能这样打开"),
        ("GET", "/restart", "", 405, "不能这样打开"),
        ("POST", "/", "x" * 70_000, 413, "写得太长了"),
    ],
)
def test_errors_look_like_the_rest(  # noqa: PLR0913, PLR0917 (the columns of the table)
    visitor: FlaskClient, method: str, path: str, question: str, status: int, title: str
) -> None:
    response = visitor.open(path, method=method, data={"q": question})
    assert (response.status_code, response.mimetype) == (status, "text/html")
    assert title in response.text
    assert 'class="top"' in response.text


def test_two_sites_share_nothing(make_site: SiteMaker, tmp_path: Path) -> None:
    first = make_site(rate_limit="1 per minute").test_client()
    second = make_site(rate_limit="1 per minute", data_dir=tmp_path / "other").test_client()
    assert [c.post("/api/ask", json={"q": "押金"}).status_code for c in (first, second, first)] == [200, 200, 429]


@pytest.mark.parametrize(("path", "kind"), [("/", "application/x-www-form-urlencoded"), ("/api/ask", "application/json")])
@pytest.mark.parametrize(("letters", "refused"), [(60_000, False), (66_000, True)])
def test_a_body_in_chunks_is_measured_too(visitor: FlaskClient, path: str, kind: str, letters: int, refused: bool) -> None:
    body = b'{"q": "' + b"x" * letters + b'"}'
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = visitor.post(path, input_stream=BytesIO(body), content_type=kind, environ_overrides=chunked)
    assert (response.status_code == 413) is refused
