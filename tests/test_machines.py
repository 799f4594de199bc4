"""The bot as people run it: several workers, several machines, killed, stopped, watched."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import drop_schema, postgres_schema
from faulty import counted, everything_in, locked
from machines import ACCOUNT, Machine, await_ready, running, send, start
from wechat_platform import message

from bot.config import Config

WAGES = "被拖欠工资怎么办"
FOLLOW = "要什么材料"
PLANTED = ["13912345678", "44532119900101123X", "6222021001123456789", "粤W12345", "樊砚舟", "城北路23号", "oSecret-Id-1"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One bot with two workers, for all tests that only look."""
    with running(tmp_path_factory.mktemp("machine") / "data", **ACCOUNT) as one:
        yield one


@pytest.fixture
def postgres() -> Iterator[str]:
    url = postgres_schema()
    if url is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    yield url
    drop_schema(url)


def driver_url(url: str) -> str:
    return Config(_env_file=None, database_url=url).database


def test_workers_of_one_machine_are_one_bot(machine: Machine) -> None:
    """Each request on a connection of its own, so that both workers get some."""
    for number in range(6):
        first = machine.ask(WAGES)
        told = machine.ask(FOLLOW, first["conversation"], f"question-{number}")
        assert "身份证" in told["text"]
        again = [machine.ask(FOLLOW, first["conversation"], f"question-{number}") for _ in range(3)]
        assert again == [told] * 3


def test_figures_are_those_of_all_workers(machine: Machine) -> None:
    for _ in range(10):
        machine.ask(WAGES)
    told = [machine.get("/metrics")[1].decode() for _ in range(4)]
    counts = [_figure(text, 'bot_replies_total{channel="web",kind="answer"}') for text in told]
    assert counts[0] >= 10
    assert len(set(counts)) == 1
    assert "bot_answer_seconds_bucket" in told[0]


def test_nobody_is_named_in_database_log_or_figures(machine: Machine) -> None:
    """Planted numbers, a name, an address, an openid and a token of the web; searched in every file that was written."""
    conversation = _confess(machine)
    written = everything_in(machine.log.parent) + machine.get("/metrics")[1]
    assert "欠薪".encode() in written, "the turn itself is there"
    assert b'"event": "request"' in written, "so is the log"
    assert _named(written, conversation) == []


def test_nobody_is_named_on_disk_while_the_store_is_away(machine: Machine) -> None:
    """The same in the spool, with a rating's reason, a wish to be forgotten, and in the database that took them over."""
    spool = machine.log.parent / "data" / "spool"
    with locked(machine.log.parent / "data" / "bot.db"):
        conversation = _confess(machine)
        reply = machine.ask("押金不退", conversation)
        body = json.dumps(
            {"id": reply["id"], "useful": False, "reason": "打13912345678，我叫樊砚舟，住城北路23号302室"}
        ).encode()
        assert send(machine.port, "POST", "/api/rate", body, {"Content-Type": "application/json"})[0] == 200
        machine.ask("删除我的记录", machine.ask("押金不退")["conversation"])
        waiting = everything_in(spool)
    assert waiting.count(b"\n") >= 5
    assert all(word in waiting for word in ("欠薪".encode(), b'"useful"', b'"forget"'))
    assert _named(waiting, conversation) == []
    _until(lambda: not list(spool.glob("*.jsonl")) and not list(spool.glob("*.open")))
    assert _named(everything_in(machine.log.parent), conversation) == []


def _confess(machine: Machine) -> str:
    """Have somebody tell everything, on the web and over WeChat; return the web's token."""
    text = "我叫樊砚舟，电话13912345678，身份证44532119900101123X，卡6222021001123456789，车粤W12345，住城北路23号302室，欠薪"
    conversation: str = machine.ask(text)["conversation"]
    machine.deliver(message(Content=text, FromUserName=PLANTED[-1], MsgId=secrets.randbits(48)))
    assert send(machine.port, "POST", "/api/ask", json.dumps({"q": text, "x": 1}).encode(), {})[0] in (200, 415)
    return conversation


def _named(written: bytes, conversation: str) -> list[str]:
    forms = {word: (word.encode(), json.dumps(word)[1:-1].encode()) for word in [*PLANTED, conversation]}
    return [word for word, either in forms.items() if any(form in written for form in either)]


def test_a_request_has_one_number_from_end_to_end(machine: Machine) -> None:
    status, _, headers = machine.get("/topics", {"X-Request-ID": "proxy-1234567890"})
    assert (status, headers["x-request-id"]) == (200, "proxy-1234567890")
    forged = machine.get("/topics", {"X-Request-ID": "a b\tc<script>"})[2]["x-request-id"]
    assert len(forged) == 32
    _until(lambda: b"proxy-1234567890" in machine.log.read_bytes())


def test_two_machines_on_one_database_are_one_bot(postgres: str, tmp_path: Path) -> None:
    """A conversation goes on at the other, a redelivery is answered once, what one counts the other knows."""
    shared = {"DATABASE_URL": postgres, "WORKERS": "1", "RATE_LIMIT": "12 per minute"}
    one, two = start(tmp_path / "one", at=0, **shared), start(tmp_path / "two", at=0, **shared)
    try:
        await_ready(one)
        await_ready(two)
        first = one.ask(WAGES)
        token = first["conversation"]
        told = two.ask(FOLLOW, token, "question-1")
        assert "身份证" in told["text"]
        assert one.ask(FOLLOW, token, "question-1") == told
        with ThreadPoolExecutor(8) as pool:
            both = list(pool.map(lambda n: (one, two)[n % 2].ask("去哪里办", token, "question-2"), range(8)))
        assert len({reply["id"] for reply in both}) == 1
        assert counted(driver_url(postgres), "turns") == 3
        assert [_status(machine) for machine in (one, two) * 2][-1] == 429, "12 are counted by both together"
    finally:
        one.kill()
        two.kill()


def test_a_stop_lets_nobody_down(tmp_path: Path) -> None:
    """SIGTERM under load: what was begun is answered, nothing half; the process ends by itself."""
    with running(tmp_path / "data") as machine:
        broken, done, end = [0], [0], threading.Event()

        def drive(number: int) -> None:
            while not end.is_set():
                try:
                    machine.ask(WAGES)
                    done[0] += 1
                except ConnectionRefusedError:
                    return
                except (OSError, ValueError):
                    broken[0] += 1
                    return

        with ThreadPoolExecutor(4) as pool:
            drivers = [pool.submit(drive, number) for number in range(4)]
            time.sleep(1)
            code = machine.stop()
            end.set()
            for driver in drivers:
                driver.result()
        assert code == 0
        assert done[0] > 20
        # A connection that the kernel had taken but no worker had seen is hung up: at most one a driver.
        assert broken[0] <= 4


def _figure(text: str, name: str) -> float:
    return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def _status(machine: Machine) -> int:
    body = json.dumps({"q": WAGES}).encode()
    return send(machine.port, "POST", "/api/ask", body, {"Content-Type": "application/json"})[0]


def _until(holds: object, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError("not in time")
