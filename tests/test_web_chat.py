"""The chat without JavaScript: forms in, whole pages out; who is remembered, and for what."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from web_site import SiteMaker, post, rows

pytest_plugins = ["web_fixtures"]

QUESTION = "送单受伤了怎么办"
TURN_ID = re.compile(r'action="/rate">.*?name="id" value="([0-9a-f]{32})"', re.S)


def test_the_page_says_what_the_api_says(visitor: FlaskClient) -> None:
    page = re.sub(r"<[^>]+>", "", post(visitor, "/", q=QUESTION).text)
    reply = visitor.post("/api/ask", json={"q": QUESTION}).json
    assert reply is not None
    for line in reply["text"].splitlines():
        assert re.sub(r"^\d+\. |^(?:去哪办|责任科室|依据|核对日期|要带|留好证据|政策变化)：", "", line) in page


def test_a_choice_is_a_button_and_picks_what_it_says(visitor: FlaskClient) -> None:
    page = post(visitor, "/", open="guide-injured").text
    first = re.findall(r'name="q" value="([^"]+)"', page)[0]
    assert "看整张图" in page
    after = post(visitor, "/", q=first).text
    assert f"你问：</span>{first}</p>" in after
    assert re.findall(r'name="q" value="([^"]+)"', after) != re.findall(r'name="q" value="([^"]+)"', page)


def test_the_suggested_questions_open(visitor: FlaskClient) -> None:
    targets = re.findall(r'name="open" value="([^"]+)"', visitor.get("/").text)
    assert len(targets) == 6
    for target in targets:
        assert "你问：" in post(visitor, "/", open=target).text


def test_sent_twice_it_is_answered_once(visitor: FlaskClient, tmp_path: Path) -> None:
    pages = [post(visitor, "/", q=QUESTION, id="question-0001").text for _ in range(2)]
    assert TURN_ID.findall(pages[0]) == TURN_ID.findall(pages[1])
    assert len(rows(tmp_path, "turns")) == 1
    post(visitor, "/", q=QUESTION, id="question-0002")
    assert len(rows(tmp_path, "turns")) == 2


def test_the_same_question_at_once_is_answered_once(make_site: SiteMaker, tmp_path: Path) -> None:
    app = make_site()
    body = {"q": QUESTION, "id": "question-0001", "conversation": "c" * 43}
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: app.test_client().post("/api/ask", json=body).json, range(8)))
    assert len({reply["id"] for reply in replies if reply}) == 1
    assert len(rows(tmp_path, "turns")) == 1


@pytest.mark.parametrize(
    ("fields", "thanks", "kept"),
    [
        ({"useful": "1"}, "有用", (True, "")),
        ({"useful": "0"}, "哪里不对", (False, "")),
        ({"useful": "0", "reason": "答非所问，打我13800138000"}, "改好", (False, "答非所问，打我")),
    ],
)
def test_rating(visitor: FlaskClient, tmp_path: Path, fields: dict[str, str], thanks: str, kept: tuple[bool, str]) -> None:
    turn = TURN_ID.findall(post(visitor, "/", q=QUESTION).text)[0]
    assert thanks in post(visitor, "/rate", id=turn, **fields).text
    row = rows(tmp_path, "ratings")[0]
    assert (row.turn, bool(row.useful), str(row.reason)[: len(kept[1])]) == (turn, *kept)
    assert "13800138000" not in str(row.reason)


def test_rating_what_was_never_said_is_not_found(visitor: FlaskClient) -> None:
    assert post(visitor, "/rate", id="0" * 32, useful="1").status_code == 404


def test_restart_begins_a_new_conversation(visitor: FlaskClient) -> None:
    post(visitor, "/", q=QUESTION)
    before = visitor.get_cookie("conversation")
    assert post(visitor, "/restart").status_code == 303
    after = visitor.get_cookie("conversation")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_forget_deletes_everything_of_this_visitor_only(make_site: SiteMaker, tmp_path: Path) -> None:
    app = make_site()
    mine, other = app.test_client(), app.test_client()
    turn = TURN_ID.findall(post(mine, "/", q=QUESTION).text)[0]
    post(mine, "/rate", id=turn, useful="1")
    post(other, "/", q="押金不退")
    assert "已经删除" in post(mine, "/forget").text
    assert [row.question for row in rows(tmp_path, "turns")] == ["押金不退"]
    assert rows(tmp_path, "ratings") == []
    assert mine.get_cookie("conversation") is None


@pytest.mark.parametrize("path", ["/", "/rate", "/restart", "/forget"])
@pytest.mark.parametrize("token", [None, "", "forged", "IjEi.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"])
def test_a_form_without_a_good_token_changes_nothing(
    visitor: FlaskClient, tmp_path: Path, path: str, token: str | None
) -> None:
    post(visitor, "/", q=QUESTION)
    cookie = visitor.get_cookie("conversation")
    fields = {"q": "押金不退", "id": "0" * 32, "useful": "1"} | ({} if token is None else {"csrf_token": token})
    response = visitor.post(path, data=fields)
    assert response.status_code == 400
    assert "页面放" in response.text
    assert [row.question for row in rows(tmp_path, "turns")] == [QUESTION]
    assert visitor.get_cookie("conversation") == cookie


def test_what_was_typed_survives_a_stale_token(visitor: FlaskClient) -> None:
    assert ">押金不退</textarea>" in visitor.post("/", data={"q": "押金不退"}).text


@pytest.mark.parametrize("typed", ["", "  ", "\u3000\n"])
def test_an_empty_question_is_asked_for_kindly(visitor: FlaskClient, typed: str) -> None:
    response = post(visitor, "/", q=typed)
    assert (response.status_code, "先写下你的问题" in response.text) == (400, True)


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}"])
def test_what_people_type_is_never_markup(visitor: FlaskClient, typed: str) -> None:
    page = post(visitor, "/", q=typed).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "49" not in page.split("你问：")[1].split("</p>")[0]
    filled = visitor.get("/", query_string={"q": typed}).text
    assert "<script>alert" not in filled
    assert "<img" not in filled


@pytest.mark.parametrize("typed", ["a\0b 押金", "\ud800 押金", "😀", "问" * 3000, "\u202e押金"])
def test_odd_text_is_answered(visitor: FlaskClient, typed: str) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get("/").text)
    assert token is not None
    data = {"csrf_token": token[1], "q": typed.encode("utf-8", "surrogatepass")}
    assert visitor.post("/", data=data).status_code == 200


@pytest.mark.parametrize("offered", ["short", "a" * 44, "x" * 42 + "!", "' or 1=1 --", "é" * 43, ""])
def test_a_token_of_the_wrong_form_is_replaced(visitor: FlaskClient, offered: str) -> None:
    visitor.set_cookie("conversation", offered)
    post(visitor, "/", q=QUESTION)
    cookie = visitor.get_cookie("conversation")
    assert cookie is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", cookie.value)
    assert cookie.value != offered


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookies_are_closed_to_scripts_and_to_other_sites(make_site: SiteMaker, scheme: str) -> None:
    client = make_site().test_client()
    cookies = client.get("/", base_url=f"{scheme}://bot.example").headers.getlist("Set-Cookie")
    cookies += client.get("/size/large", base_url=f"{scheme}://bot.example").headers.getlist("Set-Cookie")
    assert sorted(cookie.split("=")[0] for cookie in cookies) == ["conversation", "session", "text"]
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is (scheme == "https")


def test_the_store_never_sees_the_token(visitor: FlaskClient, tmp_path: Path) -> None:
    post(visitor, "/", q=QUESTION)
    cookie = visitor.get_cookie("conversation")
    assert cookie is not None
    assert [row.person for row in rows(tmp_path, "turns")] != [cookie.value]
