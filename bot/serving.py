"""Serves the bot: granian's workers, which share by fork what was read once and are started again however often they die."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from bot.app import create_app
from bot.config import Config
from bot.curation.live import Opened

THREADS = 4
"""Threads a worker: a request waits for the database, not for the processor."""

STOP_SECONDS = 10
"""So long a worker that is asked to stop may go on with what it has begun."""

LOOK_SECONDS = 1.0
"""How often the workers are looked after beside when one is heard to die."""

YOUNG_SECONDS = 0.5
"""A worker that dies younger is not started again before so long: it may be the machine that lacks something."""

MOST_YOUNG = 10
"""After so many of them in a row the server ends, for whoever watches it to start everything anew."""

MOST_ARENAS = -8
"""mallopt's M_ARENA_MAX."""

PARENT_DIED = 1
"""prctl's PR_SET_PDEATHSIG: which signal a process gets when its parent dies."""


def serve(config: Config, opened: Opened) -> None:
    """Serve until a signal ends it; ``opened`` is the knowledge base that every worker begins with."""
    share = multiprocessing.get_start_method() == "fork"  # elsewhere (macOS, Windows) each worker reads it for itself
    if share:
        _settle()
    server = Workers(
        "bot.serving",
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.warning,
        workers_kill_timeout=STOP_SECONDS,
    )
    server.serve(target_loader=partial(_application, config, opened if share else None, os.getpid()), wrap_loader=False)


class Workers(MPServer):
    """granian's server with a patience of its own: granian ends when a worker dies twice within 5.5 seconds."""

    def _serve_loop(self, spawn_target: Any, target_loader: Callable[[], Flask]) -> None:
        """Start each worker that has died again, until a signal comes or they die as soon as they are born."""
        young = 0
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait(LOOK_SECONDS)
            self.main_loop_interrupt.clear()
            # Looking at the workers themselves instead of granian's list of the dead: two who die at once are both seen.
            dead = [number for number, worker in enumerate(self.wrks) if not worker.inner.is_alive()]
            if not dead or self.interrupt_signal:
                continue
            is_young = min(time.monotonic() - self.wrks[number].birth for number in dead) < YOUNG_SECONDS
            young = young + 1 if is_young else 0
            if young == MOST_YOUNG:
                break  # granian's list of the dead, which has them, makes the exit code 1
            time.sleep(YOUNG_SECONDS if is_young else 0)
            self._respawn_workers(dead, spawn_target, target_loader)
            self.interrupt_children.clear()


def _application(config: Config, opened: Opened | None, parent: int) -> Flask:
    """Return a worker's application, in the worker."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_DFL)  # the server's own handlers, inherited, would swallow them until granian sets others
    _end_with(parent)
    app = create_app(config, opened)
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be searched for garbage while people wait
    return app


def _settle() -> None:
    """Make the memory that the workers are about to share small, and leave it alone: what nobody writes is shared."""
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        with suppress(AttributeError):  # only glibc has them
            ctypes.CDLL(None).mallopt(MOST_ARENAS, 2)  # an arena for each thread costs more than it is worth to Python
            ctypes.CDLL(None).malloc_trim(0)


def _end_with(parent: int) -> None:
    """Have this process stop, as when it is asked to, when its parent dies: no orphan stays at the port (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the server died while a worker was starting")
