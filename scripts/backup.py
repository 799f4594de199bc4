"""Backs the bot's data up while it runs, and puts a backup back: the database and the secret that names are hashed with."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url

from bot.config import Config, ConfigError, read_config

SECRET = "secret.key"  # noqa: S105 - a file's name
FILE, DUMP = "bot.db", "bot.dump"


class BackupError(Exception):
    """What went wrong, in a sentence that says what to do."""


def main() -> int:
    """Do what the command line asks; return the exit code."""
    options = _options()
    try:
        config = read_config()
        if options.restore:
            restore(config, options.restore, options.force)
            print("已恢复。现在可以启动机器人")
        else:
            print(f"已备份到 {backup(config, options.to or config.data_dir / 'backups')}")
    except (ConfigError, BackupError, OSError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def backup(config: Config, folder: Path) -> Path:
    """Return the new folder, named by the time, that has the database as it is at one moment, and the secret."""
    target = folder / f"backup-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    target.mkdir(parents=True)
    target.chmod(0o700)
    path = _file(config)
    if path is not None:
        if not path.exists():
            raise BackupError(f"没有数据库 {path}，没有可备份的")
        _copy(path, target / FILE)
    else:
        _postgres("pg_dump", config, "--format=custom", "--no-owner", f"--file={target / DUMP}")
    if (config.data_dir / SECRET).exists():
        shutil.copy2(config.data_dir / SECRET, target / SECRET)
    return target


def restore(config: Config, source: Path, force: bool) -> None:
    """Put a backup back. The bot must not run; a database that has turns is only replaced with ``force``."""
    path = _file(config)
    if path is not None:
        _restore_file(source / FILE, path, force)
    else:
        dump = _needed(source / DUMP)
        more = ("--clean", "--if-exists") if force else ()
        _postgres("pg_restore", config, "--no-owner", "--single-transaction", *more, str(dump))
    if (source / SECRET).exists():
        config.data_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / SECRET, config.data_dir / SECRET)


def _restore_file(source: Path, path: Path, force: bool) -> None:
    _check(_needed(source))
    if path.exists() and not force:
        raise BackupError(f"{path} 已经有了：确定要换掉它，停下机器人，加 --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Through SQLite, not by copying: what the old file's log still has must not be mixed with the new content.
    _copy(source, path)


def _copy(source: Path, target: Path) -> None:
    """Copy a SQLite database, in use or not, as it is at one moment; then check the copy."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target, timeout=30)) as new:
        old.backup(new)
    _check(target)


def _check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (verdict,) = connection.execute("pragma integrity_check").fetchone()
    if verdict != "ok":
        raise BackupError(f"{path} 坏了：{verdict}")


def _needed(path: Path) -> Path:
    if not path.exists():
        raise BackupError(f"没有 {path}：要写备份的文件夹（backup-日期-时间），并且和现在用的是同一种数据库")
    return path


def _file(config: Config) -> Path | None:
    """Return the SQLite file, None for PostgreSQL."""
    url = make_url(config.database)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _postgres(program: str, config: Config, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on the bot's database; the password stays out of the list of processes."""
    url = make_url(config.database)
    address = url.set(drivername="postgresql", password=None).render_as_string()
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    try:
        done = subprocess.run([program, f"--dbname={address}", *arguments], env=environment, check=False)
    except FileNotFoundError:
        raise BackupError(f"没有 {program}：安装 PostgreSQL 客户端（postgresql-client）") from None
    if done.returncode:
        raise BackupError(f"{program} 没有成功，原因在上面")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="备份和恢复机器人的数据（备份时不用停机器人）")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="放在哪个文件夹（默认 data/backups）")
    parser.add_argument("--restore", type=Path, metavar="BACKUP", help="恢复这个备份（要先停机器人）")
    parser.add_argument("--force", action="store_true", help="恢复时换掉现有的数据")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
