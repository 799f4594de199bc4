"""A disk that is really full: a small file system of its own for the data folder; Linux, and whoever may mount."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faulty import counted
from machines import ACCOUNT, Machine, running
from wechat_platform import message

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WAGES = "被拖欠工资怎么办"
EXPECTED = ("unpaid-wages-how", True)
ROOM = "64m"
"""Enough for the caches of a start."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    if os.name == "nt" or not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("not allowed to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take every byte that is left; return what takes it."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    assert shutil.disk_usage(folder).free == 0
    return ballast


def test_a_disk_that_fills_up_under_load(disk: Path) -> None:
    """Database, spool and log have no room: everybody is answered, no 5xx; with room again all is well by itself."""
    with running(disk / "data", WORKERS="2", **ACCOUNT) as machine:
        told = [_both(machine, f"before{number}") for number in range(20)]
        ballast = fill(disk)
        told += [_both(machine, f"full{number}") for number in range(200)]
        full = machine.health()
        killed = machine.workers()[0]
        os.kill(killed, signal.SIGKILL)  # and a worker that is born now has no room for its figures
        _until(lambda: len(set(machine.workers()) - {killed}) == 2)
        told += [_both(machine, f"born{number}") for number in range(40)]
        ballast.unlink()
        freed = len(told)
        deadline = time.monotonic() + 5
        while not _well(machine):
            assert time.monotonic() < deadline
            told.append(_both(machine, f"after{len(told)}"))
        figures = machine.get("/metrics")[0]
        logged = Counter(line["event"] for line in machine.logged())
        kept = counted(f"sqlite:///{disk / 'data' / 'bot.db'}", "turns")
    assert full["status"] == "degraded"
    assert (full["store"]["status"], full["spool"]["lost"] > 0) == ("away", True), "what can be kept nowhere is counted"
    assert set(told) == {EXPECTED}
    assert figures == 200
    assert 2 * (20 + len(told) - freed) <= kept + 4 < 2 * len(told), "all from before and from after the first moment is there"
    assert logged["store_failed"] <= 3, "a line a minute and worker, three of which there were"
    assert logged["request_failed"] == 0


def test_a_start_on_a_full_disk(disk: Path) -> None:
    """No room for the database and any cache, nor for what is printed: it starts; with room again all is well."""
    (disk / "data").mkdir()
    ballast = fill(disk)
    with running(disk / "data", **ACCOUNT) as machine:
        assert _both(machine, "full") == EXPECTED
        assert not list((disk / "data").glob("*.pickle"))
        ballast.unlink()
        _until(lambda: _both(machine, secrets.token_hex(8)) == EXPECTED and _well(machine))
        assert counted(f"sqlite:///{disk / 'data' / 'bot.db'}", "turns") > 1


def _well(machine: Machine) -> bool:
    """Return whether both workers find all well; a worker knows of a write only when it has written."""
    return all(machine.health()["status"] == "ok" for _ in range(4))


def _both(machine: Machine, name: str) -> tuple[str | None, bool]:
    """Return which entry the web was told, and whether WeChat was told it too; raises ValueError on any but 200."""
    entry = machine.ask(WAGES, None, f"disk-{name}")["entry"]
    said = machine.deliver(message(Content=WAGES, FromUserName=f"oDisk-{name}", MsgId=sum(name.encode()) * 1000 + len(name)))
    return entry, "责任科室：" in said.content


def _until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
