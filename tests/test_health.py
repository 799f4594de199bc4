"""What the operator sees: health, figures, logs; and what people are told about their data."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import NOW
from flask import Flask
from flask.testing import FlaskClient

from bot.answer import Bot, Library
from bot.channels import health
from bot.config import Config
from bot.logs import set_up
from bot.metrics import Metrics
from bot.model import Message, Reply
from bot.storage.memory import Memory
from bot.storage.spool import Spool
from bot.storage.store import Store

WAGES = Message("web", "rider", "m1", "被拖欠工资怎么办", NOW)
NOTICE = "删除我的记录"


@pytest.fixture
def told(library: Library, config: Config) -> Iterator[Bot]:
    """A bot that keeps turns for 90 days."""
    metrics = Metrics()
    memory = Memory(Store(config.database, b"s"), Spool(config.data_dir / "spool"), metrics.store)
    bot = Bot(library, memory, counts=metrics, days=90)
    yield bot
    bot.close()


def watched(bot: Bot, config: Config) -> FlaskClient:
    app = Flask("bot")
    health.register(app, bot, Metrics(), config)
    app.add_url_rule("/fail/<name>", "fail", lambda name: str(1 / int(name)))
    return app.test_client()


# --- Health and figures ---------------------------------------------------------------------------------------------------


def test_health_names_each_part(told: Bot, config: Config) -> None:
    client = watched(told, config)
    assert client.get("/health/live").json == {"status": "ok"}
    ready = client.get("/health/ready").json
    assert ready is not None
    assert ready["status"] == "ok"
    assert ready["knowledge"]["version"] == told.knowledge.version
    assert set(ready) == {"status", "store", "spool", "knowledge"}
    assert client.get("/health").json == ready | {"uptime_seconds": 0}


def test_without_its_store_the_bot_is_ready_but_degraded(told: Bot, config: Config) -> None:
    client = watched(told, config)
    connection = sqlite3.connect(config.data_dir / "bot.db")
    connection.execute("drop table turns")
    connection.close()
    assert told.answer(WAGES).entry == "unpaid-wages-how"
    response = client.get("/health/ready")
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["status"] == "degraded"
    assert response.json["spool"] == {"status": "waiting", "waiting": 1, "lost": 0}


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "::1", 200),
        ("", {}, "10.1.2.3", 403),
        ("", {"X-Forwarded-For": "1.2.3.4"}, "127.0.0.1", 403),
        ("secret", {}, "127.0.0.1", 403),
        ("secret", {"Authorization": "Bearer secret"}, "10.1.2.3", 200),
        ("secret", {"Authorization": "Bearer secre"}, "10.1.2.3", 403),
        ("secret", {"Authorization": "Bearer \u00e9"}, "10.1.2.3", 403),
    ],
)
def test_who_may_see_the_figures(  # noqa: PLR0913, PLR0917 - a row of the table has so many columns
    token: str, headers: dict[str, str], address: str, status: int, told: Bot, config: Config
) -> None:
    client = watched(told, config.model_copy(update={"metrics_token": token}))
    told_status = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code
    assert told_status == status


def test_figures_count_requests_by_rule_not_by_address(told: Bot, config: Config) -> None:
    client = watched(told, config)
    client.get("/fail/0")
    client.get("/nothing/oSecret")
    text = client.get("/metrics").text
    assert 'bot_requests_total{method="GET",route="/fail/<name>",status="500"} 1.0' in text
    assert 'route="none",status="404"' in text
    assert "oSecret" not in text


def test_an_error_is_logged_without_its_words(told: Bot, config: Config) -> None:
    set_up()
    with redirect_stderr(io.StringIO()) as written:
        response = watched(told, config).get("/fail/oSecret?x=13800138000", headers={"X-Request-ID": "abcdefgh-1"})
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert response.status_code == 500
    assert [line["event"] for line in lines] == ["request_failed", "request"]
    assert lines[0]["error"] == "ValueError"
    assert {line["request"] for line in lines} == {"abcdefgh-1"}
    assert response.headers["X-Request-ID"] == "abcdefgh-1"
    assert "oSecret" not in written.getvalue()
    assert "138" not in written.getvalue()


# --- What people are told about their data, and deleting it ----------------------------------------------------------------


def say(bot: Bot, text: str, number: int, user: str = "rider") -> Reply:
    return bot.answer(replace(WAGES, user=user, id=f"{user}{number}", text=text))


def test_the_first_reply_says_what_is_kept(told: Bot) -> None:
    first = say(told, WAGES.text, 1)
    assert first.text.endswith("马上删。）")
    assert NOTICE in first.text
    assert "90天" in first.text
    assert NOTICE not in say(told, WAGES.text, 2).text


def test_nobody_in_danger_reads_about_data_first(told: Bot) -> None:
    danger = say(told, "我不想活了", 1)
    assert danger.kind == "emergency"
    assert NOTICE not in danger.text
    assert NOTICE in say(told, WAGES.text, 2).text
    assert NOTICE not in say(told, WAGES.text, 3).text


def test_a_list_stays_beside_its_question(told: Bot) -> None:
    reply = say(told, "工资", 1)
    assert reply.kind == "choices"
    assert NOTICE in reply.body
    assert NOTICE not in reply.body.split("\n")[-1]


def test_who_comes_back_is_not_told_again(told: Bot) -> None:
    say(told, WAGES.text, 1)
    later = replace(WAGES, id="later", sent_at=NOW.replace(hour=20))
    assert NOTICE not in told.answer(later).text


def test_deleting_by_asking_for_it(told: Bot, config: Config) -> None:
    say(told, WAGES.text, 1)
    say(told, WAGES.text, 1, "other")
    reply = say(told, "删除我的记录", 2)
    assert "删" in reply.text
    assert rows(config.data_dir / "bot.db") == (1, 1)
    assert say(told, "删除我的记录", 2) == reply, "delivered again, it deletes nothing new and says the same"
    assert rows(config.data_dir / "bot.db") == (1, 1)
    assert NOTICE in say(told, WAGES.text, 3).text, "who was forgotten is new"


def test_deleting_reaches_what_waits_on_disk(told: Bot, config: Config) -> None:
    path = config.data_dir / "bot.db"
    say(told, WAGES.text, 1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin immediate")
    say(told, WAGES.text, 2)
    say(told, WAGES.text, 2, "other")
    assert "删" in say(told, "删除我的记录", 3).text
    holder.execute("rollback")
    holder.close()
    told._memory.replay()
    assert rows(path) == (1, 0)


def rows(path: Path) -> tuple[int, int]:
    connection = sqlite3.connect(path)
    counts = [connection.execute(f"select count(*) from {table}").fetchone()[0] for table in ("turns", "conversations")]  # noqa: S608
    connection.close()
    return counts[0], counts[1]
