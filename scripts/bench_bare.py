"""The yardstick of ``bench_http.py``: views that do the same I/O as the bot's and nothing else, on the same server."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xmltodict
from flask import Flask, Response, jsonify, request
from wechatpy.crypto import WeChatCrypto

from bot.storage.store import Store
from bot.storage.tables import TURNS

TEXT = "要回来。" * 60
"""As long as a real reply."""


def create_app() -> Flask:
    """Return ``/api/ask`` (parse, one insert, JSON) and ``/wechat`` (decrypt, parse, one insert, encrypt)."""
    folder = Path(os.environ["DATA_DIR"])
    store = Store(os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'bare.db'}", b"bare")
    token, key, app_id = (os.environ[f"WECHAT_{name}"] for name in ("TOKEN", "AES_KEY", "APP_ID"))
    crypto = WeChatCrypto(token, key, app_id)
    app = Flask("bare")

    def ask() -> Response:
        given = request.get_json()
        row = _keep(store, given["q"])
        return jsonify(id=row["id"], text=TEXT)

    def wechat() -> Response:
        query = request.args
        sealed = xmltodict.parse(request.get_data())["xml"]
        inside = crypto.decrypt_message(sealed, query["msg_signature"], query["timestamp"], query["nonce"])
        fields = xmltodict.parse(inside)["xml"]
        _keep(store, fields["Content"])
        reply = f"<xml><ToUserName>{fields['FromUserName']}</ToUserName><Content><![CDATA[{TEXT}]]></Content></xml>"
        return Response(crypto.encrypt_message(reply, "1", str(int(time.time()))), mimetype="application/xml")

    app.add_url_rule("/api/ask", view_func=ask, methods=["POST"])
    app.add_url_rule("/wechat", view_func=wechat, methods=["POST"])
    app.add_url_rule("/health/ready", "ready", lambda: "ok")
    app.add_url_rule("/empty", "empty", lambda: "ok")
    return app


def create_empty() -> Flask:
    """Return an application with one view that does nothing, for comparing servers."""
    app = Flask("empty")
    app.add_url_rule("/health/ready", "ready", lambda: "ok")
    return app


def _keep(store: Store, question: str) -> dict[str, Any]:
    name = uuid.uuid4().hex
    row = {"id": name, "channel": "bare", "message_id": name, "person": name, "at": datetime.now(UTC)}
    row |= {"question": question, "kind": "answer", "entry": "x", "score": 0.9, "version": "v"}
    row |= {"reply": {"body": TEXT}, "matches": []}
    with store.engine.begin() as connection:
        connection.execute(TURNS.insert().values(row))
    return row
