"""Starts the bot with its web page: sets up everything on a fresh machine, checks settings and knowledge, then serves."""

from __future__ import annotations

import _venv

_venv.ensure()

import os
import shutil
import sys

from sqlalchemy.exc import SQLAlchemyError

from bot.config import Config, ConfigError, read_config, read_secret
from bot.curation.live import open_last_good
from bot.knowledge import KnowledgeError
from bot.metrics import FOLDER
from bot.storage.store import Store

THREADS = 4
"""Threads a worker: a request waits for the database, not for the processor."""


STOP_SECONDS = 10
"""So long a worker that is asked to stop may go on with what it has begun."""


def main() -> None:
    """Check that the bot can start, say where it will be, and become the server."""
    try:
        config = read_config()
        _rehearse(config)
    except (ConfigError, KnowledgeError) as error:
        sys.exit(str(error))
    _share_figures(config)
    print(f"机器人在 http://{config.host}:{config.port}/ ，按 Ctrl-C 停止", flush=True)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_venv.ROOT), os.environ.get("PYTHONPATH")]))
    os.chdir(_venv.ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "granian", *_arguments(config)])  # noqa: S606 - no shell


def _rehearse(config: Config) -> None:
    """Raise, in one place and before any worker starts, what would keep the bot from starting."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    open_last_good(config.knowledge_dir, config.data_dir)
    try:
        Store(config.database, read_secret(config)).close()
    except SQLAlchemyError as error:
        # People get answers without it, and what they ask is kept for it: better than nothing at all.
        print(f"数据库现在连不上（{type(error).__name__}），先不带记忆地回答；运行 scripts/doctor.py 看怎么修", file=sys.stderr)


def _share_figures(config: Config) -> None:
    """Give the workers an empty folder for the figures that they count together; it must be known before they start."""
    folder = config.data_dir / f"metrics-{config.port}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[FOLDER] = str(folder)


def _arguments(config: Config) -> list[str]:
    return [
        *("--interface", "wsgi", "--factory", "bot.app:create_app"),
        *("--host", config.host, "--port", str(config.port)),
        *("--workers", str(config.workers), "--blocking-threads", str(THREADS)),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(STOP_SECONDS)),
        *("--no-ws", "--http", "1", "--log-level", "warning"),
    ]


if __name__ == "__main__":
    main()
