"""Starts the bot with its web page: sets up everything on a fresh machine, checks settings and knowledge, then serves."""

from __future__ import annotations

import _venv

_venv.ensure()

import os
import sys

from bot.app import create_bot
from bot.config import Config, ConfigError, read_config
from bot.knowledge import KnowledgeError

THREADS = 4
"""Threads a worker: a request waits for the database, not for the processor."""


def main() -> None:
    """Check that the bot can start, say where it will be, and become the server."""
    try:
        config = read_config()
        create_bot(config).close()
    except (ConfigError, KnowledgeError) as error:
        sys.exit(str(error))
    print(f"机器人在 http://{config.host}:{config.port}/ ，按 Ctrl-C 停止", flush=True)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_venv.ROOT), os.environ.get("PYTHONPATH")]))
    os.chdir(_venv.ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "granian", *_arguments(config)])  # noqa: S606 - no shell


def _arguments(config: Config) -> list[str]:
    return [
        *("--interface", "wsgi", "--factory", "bot.app:create_app"),
        *("--host", config.host, "--port", str(config.port)),
        *("--workers", str(config.workers), "--blocking-threads", str(THREADS)),
        *("--respawn-failed-workers", "--no-ws", "--log-level", "warning"),
    ]


if __name__ == "__main__":
    main()
