"""Puts the pieces together, once, when the process starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from flask import Flask

from bot.answer import Bot, Library
from bot.channels import health, staff, web, wechat
from bot.config import Config, read_config, read_secret
from bot.curation.live import Live, Opened, open_last_good
from bot.curation.snapshot import read_snapshot
from bot.curation.staff_store import StaffStore
from bot.curation.workshop import Workshop
from bot.knowledge import load
from bot.logs import set_up
from bot.metrics import Metrics
from bot.model import Health
from bot.storage.counters import SCHEME, Counters, counters_url
from bot.storage.housekeeping import Housekeeper
from bot.storage.memory import Memory
from bot.storage.spool import Spool
from bot.storage.store import Store
from bot.understanding.matching import Finder

log = structlog.get_logger()


def open_library(folder: Path, cache: Path) -> Library:
    """Return a folder's knowledge base and its finder; ``cache`` is a private folder for the tokenizer.

    Raises KnowledgeError with every problem.
    """
    knowledge = load(folder, datetime.now(UTC).date())
    return Library(knowledge, Finder(knowledge, cache))


def create_bot(config: Config, notice: bool = True) -> Bot:
    """Return the bot that the settings describe, its store up to date; ``notice`` tells people what is kept of them."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    library = open_library(config.knowledge_dir, config.data_dir)
    return Bot(library, Store(config.database, read_secret(config)), days=config.retention_days if notice else 0)


def open_bot(config: Config, memory: Memory, metrics: Metrics, opened: Opened | None = None) -> tuple[Bot, Live]:
    """Return the bot with the folder's knowledge base, or the last good one when the folder is broken, and its watcher.

    ``opened`` is one that was opened before, and is taken unless another has gone live since. Raises KnowledgeError with
    every problem when there never was a good one.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True)
    kept = read_snapshot(config.data_dir)
    if opened is None or (kept is not None and kept.texts != opened.texts):
        opened = open_last_good(config.knowledge_dir, config.data_dir)
    bot = Bot(opened.library, memory, counts=metrics, days=config.retention_days)
    return bot, Live(config.knowledge_dir, config.data_dir, opened, bot.exchange)


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose health is shown: the bot, and what became of the last edit of its knowledge."""

    bot: Bot
    live: Live

    def health(self) -> Health:
        """Return how both are."""
        problems = tuple(str(problem) for problem in self.live.state.problems)
        return replace(self.bot.health(), problems=problems)


def create_app(config: Config | None = None, opened: Opened | None = None) -> Flask:
    """Return the web application; called twice it gives two bots that share nothing but the store, and ``opened``."""
    set_up()
    config = config or read_config()
    metrics = Metrics()
    store = Store(config.database, read_secret(config), later=True)
    memory = Memory(store, Spool(config.data_dir / "spool"), metrics.store)
    bot, live = open_bot(config, memory, metrics, opened)
    app = Flask("bot")
    app.extensions["live"] = live
    counters = counters_url(config.database, config.data_dir)
    app.config["COUNTERS"] = f"{SCHEME}://{counters}"
    health.register(app, Patient(bot, live), metrics, config)
    web.register(app, bot, config)
    staff_store = StaffStore(store, read_secret(config))
    staff.register(app, Workshop(config.knowledge_dir, config.data_dir, bot, live, staff_store), config)
    if config.wechat_on:
        wechat.register(app, bot, config)
    else:
        log.warning("wechat_off", remedy="设 WECHAT_TOKEN（加密模式再设 WECHAT_APP_ID、WECHAT_AES_KEY）就会打开 /wechat")
    live.start()
    app.extensions["housekeeper"] = Housekeeper(memory, store, Counters(counters), config.retention_days)
    app.extensions["housekeeper"].start()
    return app
