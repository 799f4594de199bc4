"""One callback from end to end: open it, ask the desk, seal the reply; every error ends here."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bot.channels import Desk
from bot.channels.wechat.envelope import Envelope, Letter, NotWeChatError, Query
from bot.channels.wechat.fields import Fields, UnreadableError
from bot.channels.wechat.kinds import CHANNEL, check_fields, is_farewell, read_message
from bot.channels.wechat.replies import handover_xml, reply_text, text_xml
from bot.config import Config

log = structlog.get_logger()

SUCCESS = "success"
"""What WeChat takes for “received, nothing to say”; in the clear in every mode."""

APOLOGY = "抱歉，刚才出了点问题，没能回答你。请过一会儿再发一次；急的话打12333（人社政策）或12345（政务服务）。"


@dataclass(frozen=True, slots=True)
class Answered:
    """What goes back over HTTP."""

    text: str
    status: int = 200
    mimetype: str = "text/plain"


class Door:
    """Answers WeChat's callbacks; safe to share between threads."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self._desk = desk
        self._config = config
        self._envelope = Envelope(config)

    def greet(self, query: Query) -> Answered:
        """Return ``echostr`` as it came: so WeChat checks the token when the address is saved."""
        try:
            self._envelope.check(query)
        except NotWeChatError as error:
            return _refused(403, error)
        return Answered(query.get("echostr", ""))

    def receive(self, query: Query, body: bytes) -> Answered:
        """Return the reply to a callback: 403 when it is not WeChat's, 400 when it cannot be read, otherwise 200."""
        try:
            letter = self._envelope.open(query, body)
            check_fields(letter.fields)
        except NotWeChatError as error:
            return _refused(403, error)
        except UnreadableError as error:
            return _refused(400, error)
        now = datetime.now(UTC)
        try:
            xml = self._reply(letter.fields, now)
        except Exception as error:  # noqa: BLE001 - the door: whatever fails, the person gets an answer, not silence
            _log_failure(error)
            xml = "" if is_farewell(letter.fields) else text_xml(letter.fields, APOLOGY, now)
        return self._sealed(letter, xml)

    def _reply(self, fields: Fields, now: datetime) -> str:
        """Return the reply's XML, empty when there is nothing to say."""
        if is_farewell(fields):
            self._desk.forget(CHANNEL, fields["FromUserName"])
            return ""
        message = read_message(fields, self._desk.knowledge, now)
        if message is None:
            return ""
        reply = self._desk.answer(message)
        if reply.handover and self._config.wechat_handover:
            return handover_xml(fields, now)
        text = reply_text(reply, self._config)
        return text_xml(fields, text, now) if text else ""

    def _sealed(self, letter: Letter, xml: str) -> Answered:
        if not xml:
            return Answered(SUCCESS)
        return Answered(self._envelope.seal(xml) if letter.sealed else xml, mimetype="application/xml")


def _refused(status: int, error: Exception) -> Answered:
    log.warning("wechat_refused", status=status, why=str(error))
    return Answered(str(error), status)


def _log_failure(error: Exception) -> None:
    """Log what failed and where, not the traceback: an exception's words may be the person's own."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    log.error("wechat_failed", error=type(error).__name__, file=last.filename, line=last.lineno)
