"""The store gone for a minute under load: everybody is answered, and all that was said is there afterwards."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from conftest import drop_schema, postgres_schema
from faulty import by_way_of
from machines import ACCOUNT, Machine, free_port, running
from wechat_platform import Told, message

from bot.config import Config

WAGES = "被拖欠工资怎么办"
AWAY_SECONDS = 60
SLOWEST_SECONDS = 4.5
"""WeChat waits five."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that can be taken away, in one way and then another, and brought back."""

    url: str
    direct: str
    leave: tuple[Callable[[], object], ...]
    come_back: Callable[[], object]


@dataclass
class Record:
    """What people were told: turns by the web, how many by WeChat, ratings given."""

    turns: list[str] = field(default_factory=list)
    ratings: dict[str, bool] = field(default_factory=dict)
    messages: int = 0
    slowest: float = 0.0


@pytest.fixture(params=["its road", "the server itself"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with ExitStack() as stack:
        yield _by_road(stack) if request.param == "its road" else _own(stack)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_store_gone_for_a_minute(server: Server, tmp_path: Path) -> None:
    """On the web and over WeChat, rated too; the log has one line a minute and worker, ``/health`` says it meanwhile."""
    with running(tmp_path / "data", WORKERS="2", DATABASE_URL=server.url, **ACCOUNT) as machine:
        told, end = Record(), threading.Event()
        with ThreadPoolExecutor(4) as pool:
            drivers = [
                pool.submit(drive, machine, end, told, number) for number, drive in enumerate((_ask, _ask, _ask, _write))
            ]
            try:
                time.sleep(2)
                for leave in server.leave:
                    leave()
                    time.sleep(AWAY_SECONDS / len(server.leave) / 2)
                    meanwhile = machine.health()
                    time.sleep(AWAY_SECONDS / len(server.leave) / 2)
                server.come_back()
                time.sleep(3)
            finally:
                end.set()
                for driver in drivers:
                    driver.result()
        assert (meanwhile["status"], meanwhile["store"]["status"], meanwhile["spool"]["lost"]) == ("degraded", "away", 0)
        assert meanwhile["spool"]["waiting"] > 100
        _until(lambda: machine.health()["status"] == "ok" and machine.health()["spool"]["waiting"] == 0)
        logged = Counter(line["event"] for line in machine.logged())
    turns, channels, ratings = _kept(server.direct)
    print(f"{len(told.turns)} + {told.messages} turns, {len(told.ratings)} ratings, slowest {told.slowest:.2f} s")  # noqa: T201
    assert [turn for turn in told.turns if turn not in turns] == []
    assert channels["wechat"] == told.messages
    assert ratings == told.ratings
    assert told.slowest < SLOWEST_SECONDS
    assert 1 <= logged["store_failed"] <= 2 * (1 + AWAY_SECONDS // 60)
    assert logged["housekeeping_failed"] <= 2 * (1 + AWAY_SECONDS // 60)


def _ask(machine: Machine, end: threading.Event, told: Record, number: int) -> None:
    """Ask in one conversation, and rate some of the replies, now well and now not."""
    token = None
    for count in itertools.count():
        if end.is_set():
            return
        began = time.monotonic()
        reply = machine.ask(WAGES, token, f"away-{number}-{count:06d}")
        told.slowest = max(told.slowest, time.monotonic() - began)
        token = reply["conversation"]
        told.turns.append(reply["id"])
        if count % 5 == 0:
            useful = count % 2 == 0
            assert machine.rate(reply["id"], useful) == 200
            told.ratings[reply["id"]] = useful
        time.sleep(0.05)


def _write(machine: Machine, end: threading.Event, told: Record, number: int) -> None:
    """Write over WeChat, each message delivered twice, as when the platform did not hear the first reply."""
    for count in itertools.count(1):
        if end.is_set():
            return
        xml = message(Content=WAGES, FromUserName=f"oAway{number}-{count}", MsgId=count)
        began = time.monotonic()
        first = machine.deliver(xml)
        told.slowest = max(told.slowest, time.monotonic() - began)
        assert _answer(first) == _answer(machine.deliver(xml)) != ""
        told.messages += 1
        time.sleep(0.05)


def _answer(told: Told) -> str:
    """Return a reply without the notice to new people, which one that has no memory cannot know them to be."""
    return told.content.split("（不用报")[0].strip() if "责任科室" in told.content else ""


def _by_road(stack: ExitStack) -> Server:
    """Return the machine's PostgreSQL behind a road that is first cut and then swallows everything."""
    url = postgres_schema()
    if url is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    stack.callback(drop_schema, url)
    direct = Config(_env_file=None, database_url=url).database
    round_about, way = by_way_of(direct)
    stack.callback(way.close)
    return Server(round_about, direct, (lambda: way.set("cut"), lambda: way.set("stalled")), lambda: way.set("open"))


def _own(stack: ExitStack) -> Server:
    """Return a PostgreSQL of our own, which is stopped without a word and started again."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")) or [Path(shutil.which("pg_ctl") or "/none")]
    if not found[-1].exists() or (os.geteuid() == 0 and shutil.which("runuser") is None):
        pytest.skip("no PostgreSQL server programs")
    # Not among pytest's own folders, which only their owner may enter: PostgreSQL does not run as root.
    home, port = Path(stack.enter_context(TemporaryDirectory())), free_port()
    home.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")

    def run(program: str, *arguments: str) -> None:
        who = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*who, str(found[-1].with_name(program)), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=home)
        assert done.returncode == 0, done.stdout + done.stderr

    data = str(home / "data")
    options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1"
    run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
    start = ("-D", data, "-w", "-l", str(home / "log"), "-o", options)
    run("pg_ctl", "start", *start)
    stack.callback(lambda: run("pg_ctl", "stop", "-D", data, "-m", "immediate"))
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    leave = (lambda: run("pg_ctl", "stop", "-D", data, "-m", "immediate"),)
    return Server(url, url, leave, lambda: run("pg_ctl", "start", *start))


def _kept(url: str) -> tuple[set[str], Counter[str], dict[str, bool]]:
    """Return the ids of the turns, how many came by each channel, and the ratings."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        turns = connection.execute(sa.text("select id, channel from turns")).all()
        ratings = connection.execute(sa.text("select turn, useful from ratings")).all()
    engine.dispose()
    return {row.id for row in turns}, Counter(row.channel for row in turns), {row.turn: row.useful for row in ratings}


def _until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
