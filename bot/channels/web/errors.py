"""What people and programs see when something goes wrong: a kind page, a part for the script, or JSON."""

from __future__ import annotations

from flask import Flask, jsonify, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from bot.channels.web.chat import wants_part

ERRORS = {
    400: ("bad_request", "没看懂这个请求", "请返回上一页再试一次。"),
    403: ("forbidden", "这里不能进", "请从首页开始。"),
    404: ("not_found", "没有这一页", "可能是网址抄错了，或者内容搬了家。"),
    405: ("method_not_allowed", "不能这样打开这个网址", "请从首页开始。"),
    413: ("too_large", "写得太长了", "一次请不要超过2000字，拆成几条再发。"),
    415: ("unsupported_media_type", "看不懂这种格式", "请用 Content-Type: application/json。"),
    429: ("too_many_requests", "问得太快了", "请歇一分钟再问，刚才写的可以再发一次。"),
    500: ("internal", "这边出了点问题", "不是你的错。请过一会儿再试；着急可以打12333（人社）或12345（政务热线）。"),
}
"""By status: the API's code, what happened, what to do. Other 4xx read like 400, other 5xx like 500."""


def answer_errors(app: Flask) -> None:
    """Have every error of an application look like the rest; those of the API are JSON."""
    app.register_error_handler(HTTPException, answer)


def answer(error: HTTPException) -> Response:
    """Return the response to an error, with the headers (Allow, Retry-After) that belong to it."""
    response = error.get_response()
    status = error.code or 500
    if status < 400:  # a redirect travels as an exception, too
        return response
    code, title, advice = ERRORS.get(status, ERRORS[500 if status >= 500 else 400])
    if request.path.startswith("/api/"):
        body: Response = jsonify({"error": {"code": code, "message": error_message(error, title, advice)}})
    else:
        template = "web/_notice.html" if wants_part() else "web/error.html"
        body = Response(render_template(template, title=title, advice=advice), mimetype="text/html")
    response.set_data(body.get_data())
    response.headers["Content-Type"] = body.headers["Content-Type"]
    return response


def error_message(error: HTTPException, title: str, advice: str) -> str:
    """Return what the API says: which field is wrong when a view said so, else the sentence of the table."""
    told = error.description or ""
    return told if error.code == 400 and not told.isascii() else f"{title}。{advice}"
