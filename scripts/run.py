"""Starts the bot with its web page: sets up everything on a fresh machine, checks settings and knowledge, then serves."""

from __future__ import annotations

import _venv

_venv.ensure()

import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import Config, ConfigError, read_config, read_secret

if TYPE_CHECKING:
    from bot.curation.live import Opened


AGAIN = "BOT_STARTED_AGAIN"
"""The environment variable that says so: a folder that nothing can be kept in must not have the bot start for ever."""


def main() -> None:
    """Check that the bot can start, say where it will be, and become the server."""
    try:
        config = read_config()
    except ConfigError as error:
        sys.exit(str(error))
    _set_environment(config)
    from bot.serving import serve  # noqa: PLC0415 - what it imports reads the environment that was just set

    started = time.time()
    opened = _rehearse(config)
    if _made_since(started, config.data_dir) and AGAIN not in os.environ and sys.platform != "win32":
        # To make what is kept takes 50 MB more than to read it, and every worker would hold them as long as it lives.
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {AGAIN: "1"})  # noqa: S606 - this very command
    with suppress(OSError):  # where it would be written to a full disk
        print(f"机器人在 http://{config.host}:{config.port}/ ，按 Ctrl-C 停止", flush=True)
    os.chdir(_venv.ROOT)
    serve(config, opened)


def _set_environment(config: Config) -> None:
    """Tell libraries what they only look for when they are imported."""
    folder = config.data_dir / f"metrics-{config.port}"
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # without it each worker shows its own figures; what else it means, the rehearsal says
        folder.mkdir(parents=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads for matrices, of which the bot has none
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_venv.ROOT), os.environ.get("PYTHONPATH")]))


def _rehearse(config: Config) -> Opened:
    """Return the knowledge base; say, in one place and before any worker starts, what would keep the bot from starting."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as above

    from bot.curation.live import open_last_good  # noqa: PLC0415
    from bot.knowledge import KnowledgeError  # noqa: PLC0415
    from bot.logs import set_up  # noqa: PLC0415
    from bot.storage.store import Store  # noqa: PLC0415

    set_up()
    try:
        opened = open_last_good(config.knowledge_dir, config.data_dir)
    except KnowledgeError as error:
        sys.exit(str(error))
    try:
        Store(config.database, read_secret(config)).close()
    except SQLAlchemyError as error:
        # People get answers without it, and what they ask is kept for it: better than nothing at all.
        with suppress(OSError):
            print(
                f"数据库现在连不上（{type(error).__name__}），先不带记忆地回答；运行 scripts/doctor.py 看怎么修",
                file=sys.stderr,
            )
    return opened


def _made_since(moment: float, data: Path) -> bool:
    """Return whether something that takes long to make was made and kept since a moment (seconds since 1970)."""
    return any(path.stat().st_mtime >= moment for path in data.glob("*.pickle"))


if __name__ == "__main__":
    main()
