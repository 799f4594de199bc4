"""The operator's commands, run as the operator runs them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW, POSTGRES, ROOT
from faulty import counted

from bot.model import Conversation, Message, Reply, Turn
from bot.storage.store import Store

TURN = Turn(Message("web", "rider", "m1", "押金不退", NOW), Reply("answer", "要回来", id="r1"), Conversation())


def run(script: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / script), *arguments]
    environment = os.environ | {"SECRET_KEY": "a-long-secret-key"} | settings
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def fill(url: str, count: int, days: int = 0) -> None:
    store = Store(url, b"a-long-secret-key")
    at = datetime.now(UTC) - timedelta(days=days)
    for number in range(count):
        name = f"d{days}n{number}"
        message = replace(TURN.message, id=name, user=name, sent_at=at)
        assert store.record(replace(TURN, message=message, reply=replace(TURN.reply, id=name)), 0)
    store.close()


def test_purging_by_hand(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    fill(url, 2)
    fill(url, 3, days=200)
    done = run("purge.py", DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "删除了 3 条超过 180 天的记录\n")
    assert counted(url, "turns") == 2
    assert "删除了 2 条" in run("purge.py", "--days", "0", DATA_DIR=str(tmp_path)).stdout


def test_a_backup_made_under_load_is_whole_and_can_be_put_back(tmp_path: Path) -> None:
    data, url = tmp_path / "data", f"sqlite:///{tmp_path / 'data' / 'bot.db'}"
    fill(url, 5)
    end = threading.Event()

    def write() -> None:
        days = 1
        while not end.is_set():
            fill(url, 5, days)
            days += 1

    writer = threading.Thread(target=write)
    writer.start()
    done = run("backup.py", "--to", str(tmp_path / "kept"), DATA_DIR=str(data))
    end.set()
    writer.join()
    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "kept").iterdir()
    then = counted(f"sqlite:///{kept / 'bot.db'}", "turns")
    assert then >= 5
    assert counted(f"sqlite:///{kept / 'bot.db'}", "conversations") == then, "one moment, not two"
    refused = run("backup.py", "--restore", str(kept), DATA_DIR=str(data))
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    assert run("backup.py", "--restore", str(kept), "--force", DATA_DIR=str(data)).returncode == 0
    assert counted(url, "turns") == then
    elsewhere = tmp_path / "new"
    assert run("backup.py", "--restore", str(kept), DATA_DIR=str(elsewhere)).returncode == 0
    assert counted(f"sqlite:///{elsewhere / 'bot.db'}", "turns") == then


def test_a_broken_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    done = run("backup.py", "--restore", str(tmp_path), DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1
    assert not (tmp_path / "data" / "bot.db").exists()


def test_a_postgres_is_backed_up_and_put_back(tmp_path: Path) -> None:
    url = own_database()
    if url is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    fill(url, 4)
    settings = {"DATA_DIR": str(tmp_path), "DATABASE_URL": url.replace("+psycopg", "")}
    done = run("backup.py", "--to", str(tmp_path / "kept"), **settings)
    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "kept").iterdir()
    fill(url, 3, days=5)
    assert run("backup.py", "--restore", str(kept), **settings).returncode == 1, "there is something in the way"
    restored = run("backup.py", "--restore", str(kept), "--force", **settings)
    assert restored.returncode == 0, restored.stderr
    assert counted(url, "turns") == 4
    administer(f"drop database {url.rsplit('/', 1)[1]}")


def test_a_postgres_is_backed_up_under_load(tmp_path: Path) -> None:
    """People write all the while; what is put back elsewhere is one moment of it, and the schema can be gone on with."""
    urls = own_database(), own_database()
    if urls[0] is None or urls[1] is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    source, target = urls[0], urls[1]
    fill(source, 5)
    end = threading.Event()

    def write() -> None:
        days = 1
        while not end.is_set():
            fill(source, 5, days)
            days += 1

    writer = threading.Thread(target=write)
    writer.start()
    done = run("backup.py", "--to", str(tmp_path / "kept"), DATA_DIR=str(tmp_path), DATABASE_URL=source)
    end.set()
    writer.join()
    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "kept").iterdir()
    restored = run("backup.py", "--restore", str(kept), DATA_DIR=str(tmp_path / "new"), DATABASE_URL=target)
    assert restored.returncode == 0, restored.stderr
    then = counted(target, "turns")
    assert 5 <= then < counted(source, "turns")
    assert counted(target, "conversations") == then, "one moment, not two"
    fill(target, 1, days=100)
    assert counted(target, "turns") == then + 1
    for url in urls:
        administer(f"drop database {str(url).rsplit('/', 1)[1]}")


def own_database() -> str | None:
    """Return the address of a database of our own: what is dumped must not have other tests' schemas in it."""
    name = f"t{uuid.uuid4().hex[:12]}"
    try:
        administer(f"create database {name}")
    except sa.exc.OperationalError:
        return None
    return f"{POSTGRES.rsplit('/', 1)[0]}/{name}"


def administer(statement: str) -> None:
    engine = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


HEALTHY = ["设置", "密钥", "数据文件夹", "磁盘", "数据库", "知识库", "网络", "微信"]


def test_the_doctor_finds_a_fresh_machine_well(tmp_path: Path) -> None:
    done = run("doctor.py", DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stdout
    assert [line[2:].split("：")[0] for line in done.stdout.splitlines() if line[0] in "✓！✗"] == HEALTHY


def test_the_doctor_says_so_when_there_is_no_network(tmp_path: Path) -> None:
    """Everything goes by way of a proxy that nobody is at."""
    account = {"WECHAT_TOKEN": "abc", "WECHAT_APP_ID": "wx1", "WECHAT_APP_SECRET": "secret"}
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    done = run("doctor.py", "--online", DATA_DIR=str(tmp_path), KNOWLEDGE_DIR=str(tmp_path), **account, **nowhere)
    assert "！ 时钟：连不上 api.weixin.qq.com" in done.stdout, done.stdout + done.stderr
    assert "微信账号：拿不到 access_token" in done.stdout
    assert "看网络和 DNS" in done.stdout.split("微信账号")[1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PORT": "none"}, "✗ 设置"),
        ({"SECRET_KEY": "short"}, "✗ 密钥"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "✗ 数据库"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x", "SECRET_KEY": ""}, "✗ 密钥"),
        ({}, "✗ 知识库"),
        ({"DATA_DIR": "/dev/null/data"}, "✗ 数据文件夹"),
        ({"HOST": "0.0.0.0"}, "！ 网络"),  # noqa: S104 - what the doctor warns of
        ({"WECHAT_TOKEN": "abc"}, "！ 微信"),
    ],
)
def test_the_doctor_names_what_is_ill(settings: dict[str, str], said: str, tmp_path: Path) -> None:
    quick = {"DATA_DIR": str(tmp_path), "KNOWLEDGE_DIR": str(tmp_path / "none")}
    done = run("doctor.py", **(quick | settings))
    assert said in done.stdout, done.stdout + done.stderr
    assert "→" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_doctor_sees_an_open_secret_and_a_broken_database(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("x")
    (tmp_path / "secret.key").chmod(0o644)
    (tmp_path / "bot.db").write_bytes(b"nonsense" * 100)
    done = run("doctor.py", DATA_DIR=str(tmp_path), SECRET_KEY="", KNOWLEDGE_DIR=str(tmp_path / "none"))
    assert "✗ 密钥" in done.stdout
    assert "✗ 数据库" in done.stdout


def test_the_copy_of_a_database_in_use_has_what_is_only_in_its_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    store = Store(url, b"s")
    holder = sqlite3.connect(tmp_path / "bot.db")
    holder.execute("select count(*) from turns").fetchone()
    assert store.record(TURN, 0)
    assert run("backup.py", "--to", str(tmp_path / "kept"), DATA_DIR=str(tmp_path)).returncode == 0
    (kept,) = (tmp_path / "kept").iterdir()
    assert counted(f"sqlite:///{kept / 'bot.db'}", "turns") == 1
    holder.close()
    store.close()
