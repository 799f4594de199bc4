"""Edits go live in one step or not at all: in one process, and in two workers under load."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from broken_edits import EDITS, Broken, write
from conftest import ROOT
from small_knowledge import DEPOSIT, TEXTS, write_knowledge

from bot.answer import Bot, Library
from bot.curation.guard import ask
from bot.curation.live import SETTLED, Live, open_last_good
from bot.curation.snapshot import NAME
from bot.knowledge import KnowledgeError
from bot.model import Message
from bot.storage.store import Store

pytest_plugins = ["staff_fixtures"]

REFUND = "faq/deposit.md"
SHORT = "单位不能收押金，可以要求退还。"
QUESTION = "押金不退怎么办"


class Desk:
    """A watched folder, and the library that would answer."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data
        opened = open_last_good(folder, data)
        self.library: Library = opened.library
        self.live = Live(folder, data, opened, self.exchange)

    def exchange(self, library: Library) -> None:
        self.library = library

    def edit(self, path: str, content: str | bytes) -> None:
        write(self.folder, path, content if isinstance(content, bytes) else content.encode())
        self.settle(path)
        self.live.look()

    def settle(self, path: str) -> None:
        """Have a file look as if it had been left alone for a while."""
        past = time.time_ns() - int(2 * SETTLED * 1e9)
        os.utime(self.folder / path, ns=(past, past))

    def told(self) -> list[str]:
        return [str(problem) for problem in self.live.state.problems]

    def says(self, question: str = QUESTION) -> str:
        return ask(question, self.library.knowledge, self.library.finder).text.split("\n")[0]


@pytest.fixture
def make_desk(tmp_path: Path, dictionary: Path) -> Callable[[], Desk]:
    data = shutil.copytree(dictionary, tmp_path / "data")
    folder = write_knowledge(tmp_path / "knowledge")
    return lambda: Desk(folder, data)


@pytest.fixture
def desk(make_desk: Callable[[], Desk]) -> Desk:
    return make_desk()


def test_a_good_edit_is_live_at_once(desk: Desk) -> None:
    before = desk.live.state.version
    desk.edit(REFUND, DEPOSIT.replace(SHORT, "押金可以要回来。"))
    assert desk.says() == "押金可以要回来。"
    assert desk.live.state.version == desk.library.knowledge.version != before
    assert desk.live.state.current


def test_every_kind_of_broken_edit_leaves_the_last_good_one(desk: Desk) -> None:
    before = desk.live.state
    for edit in EDITS:
        desk.edit(edit.path, edit.content)
        assert any(line.startswith(edit.place) for line in desk.told()), (edit.name, desk.told())
        assert desk.says() == SHORT
        assert desk.live.state.version == before.version
        desk.edit(edit.path, TEXTS[edit.path])
        assert desk.live.state == before


def test_a_file_taken_away_and_put_back(desk: Desk) -> None:
    (desk.folder / "offices.md").unlink()
    desk.live.look()
    assert any(line.startswith("offices.md:1: ") for line in desk.told())
    desk.edit("offices.md", TEXTS["offices.md"])
    assert desk.live.state.current


def test_a_file_that_is_being_written_is_left_alone(desk: Desk) -> None:
    (desk.folder / REFUND).write_text("", encoding="utf-8")  # as editors do that empty a file first
    desk.live.look()
    assert desk.live.state.current
    desk.settle(REFUND)
    desk.live.look()
    assert not desk.live.state.current


@pytest.mark.parametrize("said", ["押金不退怎么办", "欠钱了", "押金"])
@pytest.mark.parametrize("then", ["要什么材料", "1", "详细", "罗定", "换一个"])
def test_a_conversation_survives_the_end_of_what_it_was_about(desk: Desk, said: str, then: str) -> None:
    store = Store(f"sqlite:///{desk.data / 'bot.db'}", b"s")
    bot = Bot(desk.library, store)
    now = datetime.now(UTC)
    bot.answer(Message("web", "somebody", "1", said, now))
    desk.edit("menu.md", TEXTS["menu.md"].replace("押金 → deposit-refund", "材料 → unemployment-papers"))
    start = DEPOSIT.index("## 身份证被扣怎么办")
    desk.edit("guides/money.md", TEXTS["guides/money.md"].replace("deposit-refund", "wages-how").replace("{#what}", "{#that}"))
    desk.edit(REFUND, DEPOSIT[: DEPOSIT.index("## 押金不退")] + DEPOSIT[start:])
    assert desk.live.state.current, desk.told()
    bot.exchange(desk.library)
    reply = bot.answer(Message("web", "somebody", "2", then, now + timedelta(seconds=9)))
    assert "deposit-refund" not in (reply.entry, *(choice.entry for choice in reply.choices))
    store.close()


def test_notes_beside_the_knowledge_change_nothing(desk: Desk) -> None:
    desk.edit("README.md", "# 说明")
    (desk.folder / "faq" / "~$备份.docx").write_bytes(b"x")
    desk.live.look()
    assert desk.live.state.current


@pytest.mark.parametrize("edit", [EDITS[0], EDITS[-1], next(e for e in EDITS if e.encoding == "gbk")], ids=lambda e: e.name)
def test_a_restart_on_a_broken_folder_comes_up(make_desk: Callable[[], Desk], edit: Broken) -> None:
    first = make_desk()
    first.edit(edit.path, edit.content)
    second = make_desk()
    assert second.library.knowledge.version == first.library.knowledge.version
    assert any(line.startswith(edit.place) for line in second.told())
    second.edit(edit.path, TEXTS[edit.path])
    assert second.live.state.current


STEALING = DEPOSIT.replace("- 公司扣着我的身份证", "- 没工作了想登记失业了")
STOLEN = f"{REFUND}:42: 问法「没工作了想登记失业了」会抢走「失业登记怎么办」（faq/unemployment.md）的「没工作了想登记失业」"


def test_a_question_stolen_while_the_bot_was_down_is_refused_as_a_live_one(make_desk: Callable[[], Desk]) -> None:
    first = make_desk()
    write(first.folder, REFUND, STEALING.replace(SHORT, "另一个说法。").encode())
    for _ in range(2):  # and after another restart
        second = make_desk()
        assert second.library.knowledge.version == first.library.knowledge.version
        assert [line[: len(STOLEN)] for line in second.told()] == [STOLEN]
        assert second.says() == SHORT
    second.edit(REFUND, DEPOSIT.replace(SHORT, "押金可以要回来。"))
    assert second.live.state.current
    assert make_desk().says() == "押金可以要回来。"


@pytest.mark.parametrize("start", [False, True], ids=["live", "at a start"])
@pytest.mark.parametrize(
    ("path", "edit", "told"),
    [
        (REFUND, (SHORT, "押金可以要回来。"), ""),
        ("words.md", ("人工、粮", "人工、粮、压金"), ""),
        ("words.md", ("- 工资：人工、粮", "- 工资：人工、粮\n- 失业登记：身份证被扣"), "words.md:6: "),
        ("places.md", ("- 叫法：罗定、", "- 叫法：老板拖欠工资、罗定、"), "faq/wages.md:15: "),
        (REFUND, ("- 公司扣着我的身份证", "- 没工作了想登记失业了"), STOLEN),
    ],
    ids=["answer", "word", "word that steals", "place that steals", "wording that steals"],
)
def test_an_edit_is_judged_alike(
    make_desk: Callable[[], Desk], start: bool, path: str, edit: tuple[str, str], told: str
) -> None:
    desk = make_desk()
    content = TEXTS[path].replace(*edit)
    if start:
        write(desk.folder, path, content.encode())
        desk = make_desk()
    else:
        desk.edit(path, content)
    assert any(line.startswith(told) for line in desk.told()) if told else desk.live.state.current


def test_a_start_on_the_folder_that_was_left_judges_nothing(make_desk: Callable[[], Desk]) -> None:
    """Not even what a look or a restart would find today."""
    make_desk()
    again = make_desk()
    assert again.live.state.current
    assert not (again.data / "judging.lock").exists()


def test_workers_come_to_the_same_whatever_they_see(make_desk: Callable[[], Desk]) -> None:
    """One sees three edits, the other, who was busy, only the last: of two good ones and one that steals."""
    busy, eager = make_desk(), make_desk()
    eager.edit(REFUND, DEPOSIT.replace(SHORT, "押金可以要回来。"))
    eager.edit(REFUND, STEALING)
    assert not eager.live.state.current
    busy.live.look()
    assert busy.live.state == eager.live.state
    assert busy.says() == eager.says() == "押金可以要回来。"
    busy.edit(REFUND, DEPOSIT.replace(SHORT, "押金要得回来。"))
    eager.live.look()
    assert busy.live.state == eager.live.state
    assert busy.says() == eager.says() == "押金要得回来。"
    assert make_desk().live.state == eager.live.state


def test_a_look_that_finds_what_another_worker_took_back_finds_nothing_new(make_desk: Callable[[], Desk]) -> None:
    busy, eager = make_desk(), make_desk()
    eager.edit(REFUND, DEPOSIT.replace(SHORT, "押金可以要回来。"))
    eager.edit(REFUND, DEPOSIT)
    busy.live.look()
    assert busy.live.state == eager.live.state
    assert busy.says() == SHORT


def test_a_first_start_on_a_broken_folder_says_everything(make_desk: Callable[[], Desk], tmp_path: Path) -> None:
    for edit in EDITS[:2]:
        write(tmp_path / "knowledge", edit.path, edit.content)
    write(tmp_path / "knowledge", "menu.md", b"\xff\xfe")
    with pytest.raises(KnowledgeError) as caught:
        make_desk()
    assert {problem.path for problem in caught.value.problems} == {REFUND, "menu.md"}


@pytest.mark.parametrize("content", ["", "{", '{"texts": 1}', "[]", '{"texts": {}, "at": "x", "refused": []}'])
def test_a_broken_snapshot_is_no_harm(make_desk: Callable[[], Desk], tmp_path: Path, content: str) -> None:
    (tmp_path / "data" / NAME).write_text(content, encoding="utf-8")
    assert make_desk().says() == SHORT


def test_what_ran_out_since_it_went_live_does_not_stop_a_restart(make_desk: Callable[[], Desk], tmp_path: Path) -> None:
    make_desk()
    snapshot = tmp_path / "data" / NAME
    value = json.loads(snapshot.read_text(encoding="utf-8"))
    then = {path: text.replace("2026-11-01", "2020-01-01\n- 有效期至：2021-01-01") for path, text in TEXTS.items()}
    snapshot.write_text(json.dumps({**value, "texts": then, "at": "2020-06-01T00:00:00+00:00"}), encoding="utf-8")
    for path, text in then.items():
        write(tmp_path / "knowledge", path, text.encode())
    assert make_desk().says().startswith("单位不能收押金")


# --- Two workers under load -------------------------------------------------------------------------------------------


class Server:
    """The bot as it is run, two workers, with what they logged."""

    def __init__(self, folder: Path, data: Path, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.log = log
        given = {"KNOWLEDGE_DIR": folder, "DATA_DIR": data, "RATE_LIMIT": "1000000 per minute", "PYTHONUNBUFFERED": 1}
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "bot.app:create_app"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "2", "--blocking-threads", "2"]
        with log.open("wb") as out:
            environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)

    def ask(self, question: str) -> tuple[int, dict[str, object]]:
        body = json.dumps({"q": question}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/ask", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own server
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, {}

    def logged(self, words: str, start: int = 0) -> int:
        return self.log.read_text(encoding="utf-8", errors="replace")[start:].count(words)

    def wait(self, ready: Callable[[], bool], seconds: float, what: str) -> float:
        started = time.monotonic()
        while not ready():
            assert time.monotonic() - started < seconds, f"{what}\n{self.log.read_text(encoding='utf-8')[-3000:]}"
            time.sleep(0.02)
        return time.monotonic() - started

    def up(self) -> bool:
        try:
            return self.ask("你好")[0] == 200
        except OSError:
            return False


class Load:
    """Four people who ask without a pause, and what they got."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.got: Counter[tuple[int, str]] = Counter()
        self.faults: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                status, reply = self.server.ask(QUESTION)
                self.got[status, str(reply.get("text", "")).split("\n")[0]] += 1
            except OSError as error:
                self.faults.append(repr(error))


@pytest.fixture
def server(tmp_path: Path, dictionary: Path) -> Iterator[Server]:
    data = shutil.copytree(dictionary, tmp_path / "data")
    running = Server(write_knowledge(tmp_path / "knowledge"), data, tmp_path / "log.txt")
    running.wait(running.up, 30, "not up")
    yield running
    running.process.terminate()
    running.process.wait(20)


def versions(server: Server, count: int) -> set[object]:
    return {server.ask(QUESTION)[1].get("version") for _ in range(count)}


def test_broken_edits_under_load_with_two_workers(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    with Load(server) as load:
        for edit in EDITS:
            start = len(server.log.read_text(encoding="utf-8", errors="replace"))
            write(folder, edit.path, edit.content)
            message = re.compile(re.escape(edit.place.strip()))

            def told(start: int = start, message: re.Pattern[str] = message) -> bool:
                text = server.log.read_text(encoding="utf-8", errors="replace")[start:]
                return len(message.findall(text)) >= 2  # each worker says so

            server.wait(told, 8, f"{edit.name}: {edit.place}")
            write(folder, edit.path, TEXTS[edit.path].encode())
    assert load.faults == []
    assert set(load.got) == {(200, SHORT)}
    assert load.got[200, SHORT] > 200


def test_a_good_edit_is_live_in_both_workers_under_load(server: Server, tmp_path: Path) -> None:
    before = versions(server, 8)
    with Load(server) as load:
        write(tmp_path / "knowledge", REFUND, DEPOSIT.replace(SHORT, "押金要得回来。").encode())
        server.wait(lambda: server.logged("knowledge_live") >= 2, 8, "not live")
        time.sleep(0.1)
        after = versions(server, 12)
    assert load.faults == []
    assert {status for status, _ in load.got} == {200}
    assert {text for _, text in load.got} == {SHORT, "押金要得回来。"}
    assert len(after) == 1
    assert not after & before
