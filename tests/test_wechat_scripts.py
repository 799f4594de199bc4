"""The scripts for staff: the custom menu, and the one that plays the platform against a running bot."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from wechat_desk import Clerk, serve, settings
from wechat_platform import AES_KEY, APP_ID, TOKEN
from wechatpy import WeChatClient
from werkzeug.serving import make_server

from bot.catalogue import Knowledge, MenuGroup, MenuItem
from bot.config import Config
from bot.model import Choice, Message, Reply
from bot.storage.store import Store

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture
def menu(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("menu")


def group(name: str, *items: tuple[str, str]) -> MenuGroup:
    return MenuGroup(name, tuple(MenuItem(*item) for item in items))


ITEM = ("失业金", "unemployment-benefit-how")
FIT = (group("出事维权", ITEM, ("看网页", "https://bot.example/")), group("就业社保", *[ITEM] * 5))


def test_the_menu_as_wechat_wants_it(menu: Any) -> None:
    assert list(menu.problems(FIT)) == list(menu.notices(FIT)) == []
    assert menu.buttons(FIT[:1]) == {
        "button": [
            {
                "name": "出事维权",
                "sub_button": [
                    {"type": "click", "name": "失业金", "key": "unemployment-benefit-how"},
                    {"type": "view", "name": "看网页", "url": "https://bot.example/"},
                ],
            }
        ]
    }


UNFIT = {
    "no group": ((), "有 0 个"),
    "four groups": ((group("甲", ITEM),) * 4, "有 4 个"),
    "no item": ((group("甲"),), "「甲」下面有 0 个"),
    "six items": ((group("甲", *[ITEM] * 6),), "「甲」下面有 6 个"),
    "a name of 18 bytes": ((group("六个字的名字", ITEM),), "18字节，最多16字节"),
    "an item of 63 bytes": ((group("甲", ("字" * 21, "x")),), "63字节，最多60字节"),
    "a key of 129 bytes": ((group("甲", ("乙", "x" * 129)),), "129字节，最多128字节"),
    "an address of 1,025 bytes": ((group("甲", ("乙", "https://" + "x" * 1017)),), "1025字节，最多1024字节"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_wechat_would_refuse_is_said_before(name: str, menu: Any) -> None:
    groups, expected = UNFIT[name]
    (problem,) = menu.problems(groups)
    assert expected in problem


def test_what_a_phone_cuts_is_noticed(menu: Any) -> None:
    assert len(list(menu.notices((group("五个字名字", ("九个字的一个子菜单名", "x")),)))) == 2


def test_our_own_menu_is_fit(menu: Any, knowledge: Knowledge) -> None:
    assert list(menu.problems(knowledge.menu)) == list(menu.notices(knowledge.menu)) == []


class Api(BaseHTTPRequestHandler):
    """WeChat's interface, as far as a menu goes: it keeps what it was sent and says what the test wants."""

    received: list[tuple[str, Any]]
    answer: dict[str, Any]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).received.append((self.path, json.loads(body)))
        said = json.dumps(type(self).answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the test's output clean."""


@pytest.fixture
def api() -> Iterator[tuple[type[Api], Any]]:
    handler = type("OneTestsApi", (Api,), {"received": [], "answer": {"errcode": 0, "errmsg": "ok"}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    client = WeChatClient("wx1", "hush", access_token="t", timeout=5)  # noqa: S106
    client.API_BASE_URL = f"http://127.0.0.1:{server.server_address[1]}/cgi-bin/"
    yield handler, client
    client._http.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_menu_is_published(menu: Any, api: tuple[type[Api], Any]) -> None:
    handler, client = api
    assert menu.publish(client, FIT) == ""
    assert handler.received == [("/cgi-bin/menu/create?access_token=t", menu.buttons(FIT))]


@pytest.mark.parametrize(("code", "remedy"), [(40164, "IP 白名单"), (48001, "没有自定义菜单接口"), (40018, "invalid")])
def test_a_refusal_says_what_to_do(code: int, remedy: str, menu: Any, api: tuple[type[Api], Any]) -> None:
    handler, client = api
    handler.answer = {"errcode": code, "errmsg": "invalid"}
    assert remedy in menu.publish(client, FIT)


def test_no_network_is_no_traceback_and_tells_no_secret(menu: Any) -> None:
    client = WeChatClient("wx1", "hush", access_token="t", timeout=1)  # noqa: S106
    client.API_BASE_URL = "http://127.0.0.1:9/"
    assert menu.publish(client, FIT) == "连不上微信：ConnectionError"
    client._http.close()


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as staff do, with settings of its own."""
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *arguments],
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_dry_run_needs_no_network_and_no_account() -> None:
    done = run("menu.py", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "→" in done.stdout
    assert "没有发布" in done.stdout


def test_publishing_needs_an_account() -> None:
    done = run("menu.py", WECHAT_APP_SECRET="")
    assert done.returncode == 1
    assert "WECHAT_APP_SECRET" in done.stderr


ACCOUNTS = {
    "safe": {"WECHAT_TOKEN": TOKEN, "WECHAT_APP_ID": APP_ID, "WECHAT_AES_KEY": AES_KEY},
    "plain": {"WECHAT_TOKEN": TOKEN, "WECHAT_APP_ID": "", "WECHAT_AES_KEY": ""},
}


def speak(message: Message) -> Reply:
    return Reply("choices", f"{message.kind}|{message.text}", choices=(Choice("甲"),), handover=message.text == "人工")


@pytest.fixture(params=["safe", "plain"])
def address(
    request: pytest.FixtureRequest, knowledge: Knowledge, config: Config, tmp_path: Path
) -> Iterator[tuple[str, dict[str, str]]]:
    """A running bot's address, and the settings to reach it with."""
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", b"secret")
    client = serve(Clerk(knowledge, store, speak), settings(config, request.param, wechat_handover=True))
    server = make_server("127.0.0.1", 0, client.application, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/wechat", ACCOUNTS[request.param]
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()


def test_the_platform_is_played(address: tuple[str, dict[str, str]]) -> None:
    url, account = address
    plays = {
        ("工资不发",): "text|工资不发\n〔1. 甲〕\n",
        ("--voice", "工伤"): "text|工伤\n〔1. 甲〕\n",
        ("--location", "罗定"): "place|罗定\n〔1. 甲〕\n",
        ("--event", "subscribe"): "open|welcome\n〔1. 甲〕\n",
        ("--event", "unsubscribe"): "〔不回复〕\n",
        ("人工",): "〔转给人工客服〕\n",
    }
    for arguments, expected in plays.items():
        done = run("play_wechat.py", "--url", url, *arguments, **account)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(expected)


def test_another_token_is_told_plainly(address: tuple[str, dict[str, str]]) -> None:
    url, account = address
    done = run("play_wechat.py", "--url", url, "你好", **(account | {"WECHAT_TOKEN": "other"}))
    assert done.returncode == 1
    assert "地址验证没通过" in done.stderr
    assert "Traceback" not in done.stderr
