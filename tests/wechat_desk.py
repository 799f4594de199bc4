"""A desk for tests of the channel alone: it keeps turns in the real store and answers what the test wants to see."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient
from wechat_platform import AES_KEY, APP_ID, TOKEN, Mode

from bot.catalogue import Knowledge
from bot.channels import wechat
from bot.config import Config
from bot.model import Conversation, Message, Reply, Turn
from bot.storage.store import Store

Script = Callable[[Message], Reply]


def echo(message: Message) -> Reply:
    """Say what the channel handed in."""
    return Reply("answer", f"{message.kind}|{message.text}")


@dataclass
class Clerk:
    """A desk; ``heard`` has every message that was not a redelivery, in order."""

    knowledge: Knowledge
    store: Store
    script: Script = echo
    heard: list[Message] = field(default_factory=list)

    def answer(self, message: Message) -> Reply:
        while (recall := self.store.recall(message)).reply is None:
            reply = replace(self.script(message), id=uuid.uuid4().hex)
            if self.store.record(Turn(message, reply, Conversation()), recall.revision):
                self.heard.append(message)
        return recall.reply

    def rate(self, turn_id: str, useful: bool, reason: str, at: datetime) -> bool:
        return self.store.rate(turn_id, useful, reason, at)

    def forget(self, channel: str, user: str) -> None:
        self.store.forget(channel, user)


def settings(config: Config, mode: Mode, **changes: object) -> Config:
    """Return the settings of an account in one of the three modes."""
    keys = {} if mode == "plain" else {"wechat_app_id": APP_ID, "wechat_aes_key": AES_KEY}
    return config.model_copy(update={"wechat_token": TOKEN, **keys, **changes})


def serve(desk: Clerk, config: Config) -> FlaskClient:
    """Return a client of an application that has the WeChat channel and nothing else."""
    app = Flask("wechat-only")
    wechat.register(app, desk, config)
    return app.test_client()
