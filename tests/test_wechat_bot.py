"""The whole road over WeChat: the platform's client, the real channel, the real bot on the real knowledge base."""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from wechat_desk import settings
from wechat_platform import MODES, SUCCESS, TIME, Mode, Platform, event, message

from bot.answer import Bot
from bot.catalogue import Knowledge
from bot.channels import web, wechat
from bot.config import Config

LINK = re.compile(r'<a href="weixin://bizmsgmenu\?msgmenucontent=([^"&]+)&msgmenuid=\d+">\d+\. ([^<]*)</a>')
WAGES = "被拖欠工资怎么办"


@pytest.fixture(params=MODES)
def platform(request: pytest.FixtureRequest) -> Platform:
    mode: Mode = request.param
    return Platform(mode)


@pytest.fixture
def client(platform: Platform, bot: Bot, config: Config) -> FlaskClient:
    app = Flask("wechat-only")
    wechat.register(app, bot, settings(config, platform.mode))
    return app.test_client()


def test_a_question_gets_its_entry(platform: Platform, client: FlaskClient, knowledge: Knowledge) -> None:
    said = platform.ask(client, message(Content=WAGES)).content
    assert said.startswith(knowledge.entries["unpaid-wages-how"].answer.short)
    assert "责任科室：" in said


def test_a_new_follower_learns_what_it_can_do(platform: Platform, client: FlaskClient, knowledge: Knowledge) -> None:
    said = platform.ask(client, event("subscribe")).content
    assert said.startswith(knowledge.smalltalk["welcome"].reply.split("\n")[0])
    assert [unquote(text) for text, _ in LINK.findall(said)] == [item.text for item in knowledge.main_services]


def test_a_tap_and_a_number_pick_the_same(platform: Platform, client: FlaskClient, knowledge: Knowledge) -> None:
    told = []
    for person, pick in enumerate([knowledge.main_services[1].text, "2"]):
        name = f"o{person}"
        platform.ask(client, event("subscribe", FromUserName=name))
        told.append(platform.ask(client, message(Content=pick, FromUserName=name)).content)
    assert told[0] == told[1]
    assert LINK.search(told[0])


def test_every_menu_button_opens_something(platform: Platform, client: FlaskClient, knowledge: Knowledge) -> None:
    menu = platform.ask(client, event("CLICK", "menu")).content
    items = [item for group in knowledge.menu for item in group.items]
    for number, item in enumerate(items):
        said = platform.ask(client, event("CLICK", item.target, CreateTime=TIME + number + 1)).content
        assert said
        assert said != menu or item.target == "menu"


def test_a_code_opens_its_topic(platform: Platform, client: FlaskClient, knowledge: Knowledge) -> None:
    short = knowledge.entries["unpaid-wages-how"].answer.short
    for number, key in enumerate(["qrscene_unpaid-wages-how", "qrscene_unpaid-wages"]):
        assert platform.ask(client, event("subscribe", key, CreateTime=TIME + number)).content.startswith(short)
    assert platform.ask(client, event("SCAN", "unpaid-wages")).content.startswith(short)


def test_a_place_sent_along_names_the_countys_bureau(platform: Platform, client: FlaskClient) -> None:
    platform.ask(client, message(Content=WAGES))
    said = platform.ask(client, message("location", Label="广东省云浮市罗定市罗城街道", MsgId=2)).content
    assert "罗定市人力资源和社会保障局" in said


def test_a_place_without_a_name_is_asked_for(platform: Platform, client: FlaskClient) -> None:
    said = platform.ask(client, message("location", Label="", Location_X="22.7")).content
    assert all(county in said for county in ("云城", "云安", "新兴", "郁南", "罗定"))


SENTENCES = [
    (message("image", PicUrl="x", MediaId="m"), "not-text"),
    (message("file", Title="x"), "not-text"),
    (message("voice", MediaId="m", Recognition=""), "voice"),
    (message(Content=" "), "empty"),
]


@pytest.mark.parametrize(("xml", "talk"), SENTENCES)
def test_what_cannot_be_understood_gets_one_helpful_sentence(
    xml: str, talk: str, platform: Platform, client: FlaskClient, knowledge: Knowledge
) -> None:
    said = platform.ask(client, xml).content
    assert said.startswith(knowledge.smalltalk[talk].reply.split("\n")[0])
    assert bool(LINK.search(said)) == (talk == "voice")


def test_a_spoken_question_is_a_question(platform: Platform, client: FlaskClient) -> None:
    typed = platform.ask(client, message(Content=WAGES)).content
    assert platform.ask(client, message("voice", Recognition=WAGES + "。", FromUserName="o2")).content == typed


@pytest.mark.parametrize(("switched_on", "kind"), [(False, "text"), (True, "transfer_customer_service")])
def test_a_person_is_called_or_named(switched_on: bool, kind: str, bot: Bot, config: Config) -> None:
    app = Flask("wechat-only")
    wechat.register(app, bot, settings(config, "safe", wechat_handover=switched_on))
    told = Platform("safe").ask(app.test_client(), message(Content="人工"))
    assert told.kind == kind
    assert switched_on or "12333" in told.content


def test_half_an_hour_is_counted_on_the_messages_own_time(platform: Platform, client: FlaskClient) -> None:
    platform.ask(client, message(Content=WAGES))
    soon = platform.ask(client, message(Content="要什么材料", MsgId=2, CreateTime=TIME + 29 * 60)).content
    platform.ask(client, message(Content=WAGES, FromUserName="o2"))
    late = platform.ask(client, message(Content="要什么材料", FromUserName="o2", MsgId=2, CreateTime=TIME + 31 * 60))
    assert "拖欠工资" in soon.split("\n")[0] or "身份证" in soon
    assert late.content != soon


def test_a_redelivery_is_one_turn_in_sequence_and_at_once(platform: Platform, client: FlaskClient, config: Config) -> None:
    first = platform.ask(client, message(Content=WAGES))
    assert [platform.ask(client, message(Content=WAGES)) for _ in range(2)] == [first, first]
    with ThreadPoolExecutor(8) as pool:
        ask = message(Content="要什么材料", MsgId=2)
        told = list(pool.map(lambda _: platform.ask(client.application.test_client(), ask), range(16)))
    assert len(set(told)) == 1
    assert turns(config) == 2


def test_who_leaves_leaves_nothing(platform: Platform, client: FlaskClient, config: Config) -> None:
    platform.ask(client, message(Content=WAGES))
    assert turns(config) == 1
    assert platform.ask(client, event("unsubscribe")) == SUCCESS
    assert turns(config) == 0


def test_a_question_full_of_odd_signs_is_answered(platform: Platform, client: FlaskClient) -> None:
    told = platform.ask(client, message(Content="]]]]><![CDATA[></Content>\x1d<MsgType>😀" * 20, FromUserName="o<&>"))
    assert (told.kind, told.to) == ("text", "o<&>")
    assert told.content


def test_the_guards_of_the_web_pages_leave_wechat_alone(bot: Bot, config: Config) -> None:
    """No form token, no limit per client: all of WeChat comes from a few addresses."""
    account = settings(config, "safe", rate_limit="2 per hour")
    app = Flask("bot")
    web.register(app, bot, account)
    wechat.register(app, bot, account)
    client, platform = app.test_client(), Platform("safe")
    for number in range(5):
        assert platform.ask(client, message(Content="你好", MsgId=number)).kind == "text"
    query = platform.plain_query()
    assert client.put("/wechat", query_string=query).status_code == 405
    assert client.head("/wechat", query_string=query).status_code == 405
    assert client.post("/wechat", query_string=query, data=b" " * 300_000).status_code == 413
    assert client.post("/wechat", query_string=query, data=message(Content="你好")).status_code == 403


def turns(config: Config) -> int:
    """Return how many turns the store has."""
    connection = sqlite3.connect(config.data_dir / "bot.db")
    (count,) = connection.execute("select count(*) from turns").fetchone()
    connection.close()
    return int(count)
