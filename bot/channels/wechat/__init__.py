"""The WeChat public account's door: signed XML in, XML out, within WeChat's five seconds.

``envelope.py`` proves that a callback is WeChat's and opens it; ``fields.py`` takes the XML apart; ``kinds.py`` makes a
``Message`` of it; ``replies.py`` puts the ``Reply`` into the bytes that WeChat shows; ``door.py`` is the string.
"""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import MethodNotAllowed, RequestEntityTooLarge

from bot.channels import Desk
from bot.channels.wechat.door import Answered, Door
from bot.config import Config

MOST_BYTES = 256 * 1024
"""A body above this is refused: 60 kB of text is about 200 kB in compatible mode, and no real message is longer."""


def register(app: Flask, desk: Desk, config: Config) -> None:
    """Open ``/wechat`` for WeChat's servers.

    Raises ValueError when the token is empty: an empty one lets anybody sign.
    """
    door = Door(desk, config)

    def wechat_callback() -> Response:
        if request.method == "GET":
            return _response(door.greet(request.args))
        if request.method != "POST":
            # Flask adds HEAD to every GET on its own account; WeChat sends none.
            raise MethodNotAllowed(["GET", "POST"])
        return _response(door.receive(request.args, _body()))

    app.add_url_rule("/wechat", view_func=wechat_callback, methods=["GET", "POST"], provide_automatic_options=False)


def _body() -> bytes:
    """Return the body as it came; raises RequestEntityTooLarge above the limit."""
    # One byte more than is allowed: werkzeug cuts a chunked body at its limit without a word.
    request.max_content_length = MOST_BYTES + 1
    # get_data, not data: with a form's Content-Type the latter is empty.
    body = request.get_data(parse_form_data=False)
    if len(body) > MOST_BYTES:
        raise RequestEntityTooLarge
    return body


def _response(answered: Answered) -> Response:
    response = Response(answered.text, answered.status, mimetype=answered.mimetype)
    # echostr goes back as it came: a browser must never take it for a page.
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
