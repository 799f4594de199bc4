"""What protects pages and API: response headers, cookies, forgery tokens, a limit per client, trusted proxies."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, abort, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from limits import parse_many
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests
from werkzeug.middleware.proxy_fix import ProxyFix

from bot.config import Config, read_secret

Limit = Callable[[Callable[..., Any]], Callable[..., Any]]

MOST_BYTES = 64 * 1024
"""The largest body that pages and API read; 2,000 characters of Chinese are 18 kB when a form encodes them."""

SCOPE = "questions"
"""What is counted: all that costs work together."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Cookies(SecureCookieSessionInterface):
    """Keeps the forgery token in a signed cookie that is Secure exactly when the request came over https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 (the parent says what it is handed)
        """Return whether this request's cookie may travel over https only."""
        return request.is_secure


def protect(app: Flask, config: Config) -> CSRFProtect:
    """Set headers, cookies and proxies up for a whole application; return the check that form pages call.

    The check is not switched on for every POST: WeChat's messages are signed, the API knows nobody by a cookie.
    """
    app.secret_key = app.secret_key or _form_key(config)
    app.session_interface = Cookies()
    app.config.update(
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # a page left open over a shift still works; the token ends with the session
        WTF_CSRF_SSL_STRICT=False,  # a proxy that renames the host would fail the Referer test; the token suffices
    )
    if config.trusted_proxies:
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    app.after_request(_with_headers)
    return CSRFProtect(app)


def make_limiter(app: Flask, config: Config) -> Limit:
    """Return what limits a view: all views that have it share one count per client address.

    Only what costs work or room has it. Thousands of phones may come from one address of a mobile network, so reading
    pages is free. Where all workers count together is the application's to say.
    """
    counting = FixedWindowRateLimiter(storage_from_string(app.config.get("COUNTERS", "memory://")))
    allowed = parse_many(config.rate_limit)

    def limit(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def limited(*args: Any, **given: Any) -> Any:
            who = request.remote_addr or "nowhere"
            for item in allowed:
                if not counting.hit(item, SCOPE, who):
                    seconds = counting.get_window_stats(item, SCOPE, who).reset_time - time.time()
                    raise TooManyRequests(retry_after=max(1, int(seconds)))
            return view(*args, **given)

        return limited

    return limit


def small_bodies_only() -> None:
    """Refuse a body larger than any question; set per request, as WeChat's limit is another."""
    request.max_content_length = MOST_BYTES + 1
    # werkzeug cuts a chunked body off at the limit without a word: read one byte more and look.
    if (request.content_length or len(request.get_data())) > MOST_BYTES:
        abort(413)


def _form_key(config: Config) -> bytes:
    """Return the key that form cookies are signed with: made from the secret, so that neither gives the other away."""
    return hmac.digest(read_secret(config), b"web forms", hashlib.sha256)


def _with_headers(response: Response) -> Response:
    """Add the headers that the view has not set itself; asked one by one, the library would look through all each time."""
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating gives pairs
    for name, value in HEADERS.items():
        if name.lower() not in present:
            response.headers.add(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
