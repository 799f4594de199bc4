"""Asks the bot from a terminal, offline: one question, a conversation, or a batch of JSON lines."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from _prompt import typed

from bot.answer import Bot
from bot.app import create_bot
from bot.config import ConfigError, read_config
from bot.knowledge import KnowledgeError
from bot.model import Message, Reply

PROGRESS_AFTER = 1.0
"""Seconds of silence that need no explanation."""

PAUSE = timedelta(seconds=20)
"""How long after the one before a batch's turn is sent, when it does not say."""


def main() -> int:
    """Answer what the command line asks; return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            bot = _open_bot(Path(folder))
        except (ConfigError, KnowledgeError) as error:
            print(error, file=sys.stderr)
            return 1
        if options.batch is not None:
            return _batch(bot, options.batch)
        if options.question:
            _show(bot, " ".join(options.question), uuid.uuid4().hex, options)
            return 0
        return _converse(bot, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="问机器人（不联网）")
    parser.add_argument("question", nargs="*", help="要问的话；不写就进入对话")
    parser.add_argument("--why", action="store_true", help="说明为什么这样答")
    parser.add_argument("--json", action="store_true", help="输出完整的回复对象")
    parser.add_argument("--batch", nargs="?", const="-", metavar="FILE", help='逐行读 {"q": …} 或 {"turns": […]}')
    return parser.parse_args()


def _open_bot(folder: Path) -> Bot:
    """Return the bot on a store of its own; the tokenizer's cache stays in the data folder, so the next start is fast."""
    settings = read_config()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    own = {"database_url": f"sqlite:///{folder / 'ask.db'}", "secret_key": "ask"}
    return create_bot(settings.model_copy(update=own), notice=False)


def _message(text: str, user: str, at: datetime) -> Message:
    return Message("ask", user, uuid.uuid4().hex, text, at)


def _show(bot: Bot, text: str, user: str, options: argparse.Namespace) -> None:
    message = _message(text, user, datetime.now(UTC))
    why = bot.explain(message) if options.why else None
    reply = bot.answer(message)
    if options.json:
        print(json.dumps(reply.public() | ({"why": why} if why else {}), ensure_ascii=False))
        return
    print(reply.text)
    if why:
        print("\n" + "\n".join(why))


def _converse(bot: Bot, options: argparse.Namespace) -> int:
    user = uuid.uuid4().hex
    print("直接打字问；按 Ctrl-D 结束。")
    for text in typed():
        print()
        _show(bot, text, user, options)
    return 0


def _batch(bot: Bot, name: str) -> int:
    """Answer each line as a fresh conversation; a broken line gets an error in its place."""
    failed = False
    with _open_input(name) as lines:
        for number, line in _with_progress(enumerate(lines, 1)):
            try:
                result: dict[str, Any] = {"replies": [reply.public() for reply in _replies(bot, line)]}
            except ValueError as error:
                failed = True
                result = {"error": f"line {number}: {error}"}
            print(json.dumps(result, ensure_ascii=False), flush=True)
    return 1 if failed else 0


def _open_input(name: str) -> IO[str]:
    """Return the lines to answer; bytes that are no UTF-8 come as surrogates and fail as that line alone."""
    if name == "-":
        return open(sys.stdin.fileno(), encoding="utf-8", errors="surrogateescape", newline="\n", closefd=False)
    return Path(name).open(encoding="utf-8-sig", errors="surrogateescape", newline="\n")


def _replies(bot: Bot, line: str) -> list[Reply]:
    user = uuid.uuid4().hex
    return [bot.answer(_message(text, user, at)) for text, at in _turns(line)]


def _turns(line: str) -> list[tuple[str, datetime]]:
    """Return the turns of one line with their times.

    Raises ValueError, in English as the batch's form is, when the line is not of that form.
    """
    value = json.loads(line)
    if not isinstance(value, dict) or ("q" in value) == ("turns" in value):
        raise ValueError('want an object with either "q" or "turns"')
    turns = [value["q"]] if "q" in value else value["turns"]
    if not isinstance(turns, list) or not turns:
        raise ValueError('"turns" must be a list that is not empty')
    found: list[tuple[str, datetime]] = []
    for turn in turns:
        text, at = (turn.get("text"), turn.get("at")) if isinstance(turn, dict) else (turn, None)
        if not isinstance(text, str) or not isinstance(at, str | None):
            raise ValueError('a turn must be a string or {"text": string, "at": ISO time}')
        before = found[-1][1] if found else datetime.now(UTC) - PAUSE
        found.append((text, _time(at) if at else before + PAUSE))
    return found


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _with_progress(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Pass lines on, telling on standard error how far they are when that takes longer than a second."""
    shown = time.monotonic()
    number = 0
    for number, line in lines:
        if time.monotonic() - shown > PROGRESS_AFTER:
            shown = time.monotonic()
            print(f"\r已答 {number - 1} 行……", end="", file=sys.stderr, flush=True)
        yield number, line


if __name__ == "__main__":
    sys.exit(main())
