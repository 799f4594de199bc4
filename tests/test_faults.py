"""Never silent: whatever happens to the store, people get their answer, and what they were told is kept where it can be."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from conftest import NOW, ROOT, drop_schema, postgres_schema
from faulty import Road, by_way_of, counted, locked
from structlog.testing import capture_logs

from bot.answer import Bot, Library
from bot.model import Message
from bot.storage import memory as memory_module
from bot.storage import schema
from bot.storage.counters import Counters
from bot.storage.housekeeping import Housekeeper
from bot.storage.memory import AwayError, Memory
from bot.storage.spool import Spool
from bot.storage.store import Store

WAGES = Message("web", "rider", "m1", "被拖欠工资怎么办", NOW)
FOLLOW = replace(WAGES, id="m2", text="要什么材料", sent_at=NOW + timedelta(minutes=1))


def open_bot(library: Library, url: str, folder: Path, later: bool = False) -> tuple[Bot, Memory]:
    memory = Memory(Store(url, b"s", later=later), Spool(folder / "spool"))
    return Bot(library, memory, days=180), memory


@pytest.fixture
def road() -> Iterator[tuple[str, str, Road]]:
    """The address of an empty PostgreSQL, the same by a road that can be cut, and the road."""
    url = postgres_schema()
    if url is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    round_about, way = by_way_of(url)
    yield url, round_about, way
    way.close()
    drop_schema(url)


# --- SQLite ------------------------------------------------------------------------------------------------------------


def test_a_locked_file_costs_memory_not_the_answer(library: Library, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    bot, memory = open_bot(library, url, tmp_path)
    with locked(tmp_path / "bot.db"), capture_logs() as logs:
        started = time.monotonic()
        first = bot.answer(WAGES)
        assert time.monotonic() - started < 2.5
        started = time.monotonic()
        told = [bot.answer(replace(WAGES, id=f"n{number}", user=f"u{number}")) for number in range(20)]
        assert time.monotonic() - started < 2, "the store is left in peace for a while after a fault"
        assert bot.answer(WAGES) == first, "a redelivery gets the same reply, id and all"
        health = bot.health()
    assert {reply.entry for reply in [first, *told]} == {"unpaid-wages-how"}
    assert (health.waiting, health.lost, health.degraded) == (21, 0, True)
    assert [line["event"] for line in logs] == ["store_failed"], "one line a minute"
    time.sleep(memory_module.PAUSE_SECONDS)
    assert memory.replay() == 21
    assert memory.replay() == 0
    assert counted(url, "turns") == 21
    assert bot.answer(WAGES) == first
    assert not bot.health().degraded
    bot.close()


def test_after_a_fault_conversations_go_on(library: Library, tmp_path: Path) -> None:
    bot, _ = open_bot(library, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path)
    before = bot.answer(WAGES)
    with locked(tmp_path / "bot.db"):
        bot.answer(replace(FOLLOW, id="lost"))
    time.sleep(memory_module.PAUSE_SECONDS)
    assert "身份证" in bot.answer(FOLLOW).text
    assert bot.answer(WAGES).id == before.id
    bot.close()


def test_ratings_given_meanwhile_are_kept_too(library: Library, tmp_path: Path) -> None:
    """Of a turn from before, of one that waits on disk, and of none; the last word counts, and numbers are masked."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    bot, memory = open_bot(library, url, tmp_path)
    before = bot.answer(WAGES)
    with locked(tmp_path / "bot.db"):
        meanwhile = bot.answer(replace(WAGES, id="m2", user="other"))
        assert bot.rate(before.id, True, "", NOW)
        assert bot.rate(before.id, False, "打13912345678", NOW + timedelta(minutes=1))
        assert bot.rate("nothing", True, "", NOW)
    time.sleep(memory_module.PAUSE_SECONDS)
    assert bot.rate(meanwhile.id, True, "", NOW), "the store is back, the turn still on its way to it"
    assert memory.replay() == 5
    assert not bot.rate("nothing", True, "", NOW)
    with sqlite3.connect(tmp_path / "bot.db") as connection:
        ratings = dict(connection.execute("select turn, reason from ratings").fetchall())
    connection.close()
    assert ratings == {before.id: "打〔号码〕", meanwhile.id: ""}
    bot.close()


@pytest.mark.parametrize("damage", ["gone", "garbage", "a folder"])
def test_a_file_that_is_no_database_any_more(damage: str, library: Library, tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    if damage == "garbage":
        path.write_bytes(b"no database" * 1000)
    elif damage == "a folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere" / "bot.db")
    bot, _ = open_bot(library, f"sqlite:///{path}", tmp_path, later=True)
    assert bot.answer(WAGES).entry == "unpaid-wages-how"
    assert bot.health().fault
    assert bot.health().waiting == 1
    bot.close()


def test_a_store_that_comes_late_is_made_ready_then(library: Library, tmp_path: Path) -> None:
    (tmp_path / "bot.db").mkdir()
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    bot, memory = open_bot(library, url, tmp_path, later=True)
    bot.answer(WAGES)
    (tmp_path / "bot.db").rmdir()
    assert memory.replay() == 1
    assert counted(url, "turns") == 1
    bot.close()


def test_a_full_disk(library: Library, tmp_path: Path) -> None:
    """SQLite's own page limit is its disk: the same error, and no root rights needed."""
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", b"s")
    bot = Bot(library, Memory(store, Spool(tmp_path / "spool", most_bytes=20_000)), days=180)
    bot.answer(WAGES)
    with store.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("pragma max_page_count = 1")  # the pool hands out this very connection again
    told = [bot.answer(replace(WAGES, id=f"n{n}", user=f"u{n}")) for n in range(60)]
    assert {reply.entry for reply in told} == {"unpaid-wages-how"}
    health = bot.health()
    assert health.fault, "a full disk can be read, and is a fault all the same"
    assert health.waiting > 1
    assert health.lost > 1
    assert health.waiting + health.lost + counted(f"sqlite:///{tmp_path / 'bot.db'}", "turns") == 61
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) <= 20_000
    bot.close()


# --- PostgreSQL behind a road ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cut", "stalled"])
def test_a_server_that_is_gone_or_hangs(how: str, road: tuple[str, str, Road], library: Library, tmp_path: Path) -> None:
    url, round_about, way = road
    bot, memory = open_bot(library, round_about, tmp_path)
    bot.answer(WAGES)
    way.set(how)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda n: bot.answer(replace(FOLLOW, id=f"n{n}", user=f"u{n}")), range(40)))
    assert time.monotonic() - started < 4.5
    assert len({reply.id for reply in told}) == 40
    assert bot.health().waiting == 40
    way.set("open")
    deadline = time.monotonic() + 5
    while bot.health().waiting and time.monotonic() < deadline:
        try:
            memory.replay()
        except AwayError:
            time.sleep(0.2)
    assert counted(url, "turns") == 41
    assert "身份证" in bot.answer(FOLLOW).text, "the conversation from before goes on"
    bot.close()


def test_a_slow_server_is_waited_for_two_seconds(road: tuple[str, str, Road], library: Library, tmp_path: Path) -> None:
    _, round_about, way = road
    bot, _ = open_bot(library, round_about, tmp_path)
    bot.answer(WAGES)
    way.set("stalled")
    started = time.monotonic()
    assert bot.answer(replace(WAGES, id="m9")).entry == "unpaid-wages-how"
    assert 1 < time.monotonic() - started < 2.5
    way.set("open")
    bot.close()


# --- Clocks, old databases, spools ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_breaks_nothing(hours: int, library: Library, tmp_path: Path) -> None:
    bot, _ = open_bot(library, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path)
    bot.answer(WAGES)
    told = bot.answer(replace(FOLLOW, sent_at=NOW + timedelta(hours=hours)))
    assert told.text
    assert bot.answer(replace(FOLLOW, sent_at=NOW)) == told, "a redelivery is known by its id, not by its time"
    assert bot.answer(replace(WAGES, id="m3", sent_at=NOW + timedelta(minutes=2))).entry == "unpaid-wages-how"
    bot.close()


def test_conversations_keep_apart(library: Library, tmp_path: Path) -> None:
    """All ask one of two things, then all ask what to bring, mixed; 1,000 of them in ``test_crowd.py``."""
    bot, _ = open_bot(library, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path)
    asked = ("被拖欠工资怎么办", "押金不退怎么办")
    alone = []
    for number, text in enumerate(asked):
        first = Message("web", f"alone{number}", f"a{number}", text, NOW)
        bot.answer(first)
        alone.append(bot.answer(replace(first, id=f"b{number}", text="要什么材料")).text)
    assert alone[0] != alone[1]
    riders = range(200)

    def turn(number: int, text: str) -> str:
        return bot.answer(Message("web", f"r{number}", f"{text}{number}", text, NOW)).text

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: turn(n, asked[n % 2]), riders))
        told = list(pool.map(lambda n: turn(n, "要什么材料"), reversed(riders)))
    assert [number for number, text in zip(reversed(riders), told, strict=True) if text != alone[number % 2]] == []
    bot.close()


def test_a_database_of_the_first_version_keeps_every_row(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    connection.executescript((ROOT / "tests" / "old_database.sql").read_text(encoding="utf-8"))
    connection.close()
    url = f"sqlite:///{path}"
    before = {table: counted(url, table) for table in ("turns", "conversations", "ratings")}
    assert before == {"turns": 3, "conversations": 2, "ratings": 1}
    store = Store(url, b"s")
    assert {table: counted(url, table) for table in before} == before
    recall = store.recall(replace(WAGES, user="somebody"))
    assert recall.revision == 0
    store.close()


def test_a_schema_that_is_up_to_date_is_known_without_alembic() -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.newest()


def test_a_spool_outlives_half_lines_and_other_peoples_files(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    assert first.add({"id": "一"})
    assert second.add({"id": "二"})
    (tmp_path / "0-killed.open").write_bytes(b'{"id": "three"}\n{"id": "fo')
    with suppress(AwayError), first.taken() as rows:
        assert len(list(rows)) == 3
        raise AwayError
    assert first.count() == 3
    second.add({"id": "五"})
    with second.taken() as rows:
        assert sorted(row["id"] for row in rows) == ["three", "一", "二", "五"]
    assert not first.waiting()


def test_a_spool_is_bounded_and_counts_what_it_loses(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_bytes=1000)
    kept = [spool.add({"text": "x" * 80}) for _ in range(20)]
    assert kept == [True] * 10 + [False] * 10
    assert spool.lost == 20 - sum(kept)


def test_a_spool_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    spool = Spool(tmp_path / "spool")
    assert not spool.add({})
    assert spool.lost == 1


# --- Keeping house ---------------------------------------------------------------------------------------------------------


def test_what_is_old_goes_once_a_day_by_one_process(database: str, library: Library, tmp_path: Path) -> None:
    store = Store(database, b"s")
    memory = Memory(store, Spool(tmp_path / "spool"))
    bot = Bot(library, memory)
    now = datetime.now(UTC)
    for days in (0, 179, 181, 400):
        bot.answer(replace(WAGES, id=f"d{days}", user=f"u{days}", sent_at=now - timedelta(days=days)))
    counters = [Counters(f"sqlite:///{tmp_path / 'c.db'}") for _ in range(2)]
    keepers = [Housekeeper(memory, store, one, 180) for one in counters]
    with capture_logs() as logs:
        for keeper in [*keepers, *keepers]:
            keeper.beat(now)
    assert [line["turns"] for line in logs if line["event"] == "purged"] == [2]
    assert counted(database, "turns") == 2
    with capture_logs() as logs:
        keepers[1].beat(now + timedelta(days=1))
    assert [line["turns"] for line in logs if line["event"] == "purged"] == [0]
    for one in counters:
        one.close()
    bot.close()


def test_nobody_is_shut_out_by_a_clock_that_was_set_back(database: str) -> None:
    """What was counted an hour ahead would go on counting for an hour; the clocks of two machines may differ by a second."""
    counters = Counters(database)
    assert [counters.hit("far", 3660), counters.hit("near", 61)] == [1, 1]
    assert [counters.hit("far", 60), counters.hit("near", 60)] == [1, 2]
    counters.close()


def test_processes_count_together(database: str, tmp_path: Path) -> None:
    counters = [Counters(database) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(lambda n: counters[n % 3].hit("k", 60), range(60)))
    assert sorted(told) == list(range(1, 61))
    assert counters[0].hit("short", 0.05) == 1
    time.sleep(0.1)
    assert counters[1].hit("short", 60) == 1
    counters[2].clear("k")
    assert counters[0].get("k")[0] == 0
    for one in counters:
        one.close()
