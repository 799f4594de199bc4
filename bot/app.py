"""Puts the pieces together, once, when the process starts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import structlog
from flask import Flask

from bot.answer import Bot, Library
from bot.channels import web, wechat
from bot.config import Config, read_config, read_secret
from bot.knowledge import load
from bot.matching import Finder
from bot.store import Store

log = structlog.get_logger()


def open_library(folder: Path, cache: Path) -> Library:
    """Return a folder's knowledge base and its finder; ``cache`` is a private folder for the tokenizer.

    Raises KnowledgeError with every problem.
    """
    knowledge = load(folder, datetime.now(UTC).date())
    return Library(knowledge, Finder(knowledge, cache))


def create_bot(config: Config) -> Bot:
    """Return the bot that the settings describe, its store up to date."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    library = open_library(config.knowledge_dir, config.data_dir)
    return Bot(library, Store(config.database, read_secret(config)))


def create_app(config: Config | None = None) -> Flask:
    """Return the web application; called twice it gives two bots that share nothing but the store."""
    config = config or read_config()
    bot = create_bot(config)
    app = Flask("bot")
    web.register(app, bot, config)
    if config.wechat_on:
        wechat.register(app, bot, config)
    else:
        log.warning("wechat_off", remedy="设 WECHAT_TOKEN（加密模式再设 WECHAT_APP_ID、WECHAT_AES_KEY）就会打开 /wechat")
    return app
