"""The web channel: pages for riders and those they forward them to, and the JSON API; ``register`` is its one door."""

from __future__ import annotations

from flask import Flask

from bot.channels import Desk
from bot.channels.web.api import Api
from bot.channels.web.chat import Chat
from bot.channels.web.errors import answer_errors
from bot.channels.web.pages import Pages
from bot.channels.web.safety import make_limiter, protect
from bot.channels.web.site import make_site
from bot.config import Config

__all__ = ["register"]


def register(app: Flask, desk: Desk, config: Config) -> None:
    """Add the pages, the API and what protects both to an application."""
    csrf = protect(app, config)
    limit = make_limiter(app, config)
    site = make_site(desk, config)
    Chat(desk, config).add_to(site, limit, csrf)
    Pages(desk, config).add_to(site, limit)
    app.register_blueprint(site)
    app.register_blueprint(Api(desk, config).blueprint(limit))
    answer_errors(app)
