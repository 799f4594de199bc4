"""One conversation over ask.py, the web page, the API and WeChat: the same replies, word for word."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from conftest import NOW
from flask import Flask
from flask.testing import FlaskClient
from test_ask import ask
from wechat_desk import settings
from wechat_platform import Platform, message

from bot.answer import Bot
from bot.channels import web, wechat
from bot.config import Config

TURNS = ["失业登记怎么办", "要带什么材料", "那罗定呢", "押金", "2", "公积金怎么提取", "谢谢"]
MARKUP = re.compile(r"<[^>]+>")


@pytest.fixture
def app(bot: Bot, config: Config) -> Flask:
    settled = settings(config, "plain", wechat_links=False)
    flask = Flask("bot")
    web.register(flask, bot, settled)
    wechat.register(flask, bot, settled)
    return flask


def by_api(client: FlaskClient) -> list[str]:
    said: list[str] = []
    conversation = None
    for turn in TURNS:
        given = {"q": turn} | ({"conversation": conversation} if conversation else {})
        reply = client.post("/api/ask", json=given).get_json()
        conversation = reply["conversation"]
        said.append(reply["text"])
    return said


def by_wechat(client: FlaskClient) -> list[str]:
    platform = Platform("plain")
    at = int(NOW.timestamp())
    return [
        platform.ask(client, message(Content=turn, MsgId=1000 + n, CreateTime=at + n)).content for n, turn in enumerate(TURNS)
    ]


def by_ask(folder: Path) -> list[str]:
    done = ask(folder, "--batch", given=json.dumps({"turns": TURNS}).encode() + b"\n")
    return [reply["text"] for reply in json.loads(done.stdout)["replies"]]


def by_page(client: FlaskClient) -> list[str]:
    said = []
    for turn in TURNS:
        page = client.get("/").get_data(as_text=True)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        form = {"q": turn, "csrf_token": token[1] if token else ""}
        said.append(html.unescape(MARKUP.sub("", client.post("/", data=form, follow_redirects=True).get_data(as_text=True))))
    return said


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_same_conversation_gets_the_same_replies_at_every_door(app: Flask, tmp_path: Path) -> None:
    api = by_api(app.test_client())
    assert [bare(text) for text in by_wechat(app.test_client())] == [bare(text) for text in api]
    offline = by_ask(tmp_path)
    # Only who is remembered is told so: the terminal's store is gone the moment it is closed.
    assert api[0].startswith(offline[0])
    assert [bare(text) for text in offline[1:]] == [bare(text) for text in api[1:]]
    for shown, text in zip(by_page(app.test_client()), api, strict=True):
        assert bare(text.split("\n")[0]) in bare(shown)
