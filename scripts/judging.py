"""Judges replies as the question files' labels say; shared by evaluate.py, bench.py and the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from bot.catalogue import Knowledge
from bot.dialogue.deciding import decide
from bot.model import Conversation, Message, Reply
from bot.understanding.matching import Finder

Verdict = Literal["right", "offered", "wrong", "missed", "refused", "listed", "false alarm"]
RIGHT_ENTRY = "right entry"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """One labelled question; ``gold`` are the acceptable main measures, ``kind`` as in the files' README.

    ``entries`` are those (ids) that answer it, where the file says so: a measure has dozens.
    """

    text: str
    kind: str
    gold: tuple[int, ...]
    style: str = ""
    note: str = ""
    entries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, what was said, and what that is worth."""

    question: Question
    reply: Reply
    verdict: Verdict


def read_questions(path: Path) -> list[Question]:
    """Return the questions of one JSON-lines file; only a line feed ends a line."""
    values = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    return [
        Question(
            v["q"],
            v.get("kind", "in"),
            tuple(v.get("gold", ())),
            v.get("style", ""),
            v.get("note") or "",
            tuple(v.get("entries", ())),
        )
        for v in values
        if "q" in v
    ]


def read_conversations(path: Path) -> list[tuple[list[str], list[list[int]]]]:
    """Return the conversations of one file: turns, and the labels of each."""
    values = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    return [(value["turns"], value["gold"]) for value in values]


def converse(finder: Finder, knowledge: Knowledge, turns: Iterable[str]) -> Iterator[Reply]:
    """Yield the replies to the turns of one conversation, without a store."""
    conversation = Conversation()
    for number, text in enumerate(turns):
        message = Message("judge", "somebody", str(number), text, START + timedelta(seconds=30 * number))
        turn = decide(message, conversation, finder.find(text, conversation.recent, conversation.measures), knowledge)
        conversation = turn.conversation
        yield turn.reply


def judge(question: Question, reply: Reply) -> Verdict:
    """Return what a reply to a question is worth."""
    if question.kind == "emergency":
        return "right" if reply.kind == "emergency" else "missed"
    if reply.kind == "emergency":
        return "false alarm"
    if question.kind == "smalltalk":
        return "right" if reply.kind == "smalltalk" else "missed"
    if question.kind == "in":
        return judge_turn(question.gold, reply)
    return "wrong" if reply.kind == "answer" else "listed" if reply.kind == "choices" else "refused"


def judge_turn(gold: Iterable[int], reply: Reply) -> Verdict:
    """Return what a reply to something in scope is worth; without labels anything but an answer is right."""
    wanted = set(gold)
    if not wanted:
        return "wrong" if reply.kind in ("answer", "emergency") else "right"
    if reply.kind == "answer":
        return "right" if reply.measures[0] in wanted else "wrong"
    if reply.kind == "choices" and any(c.measures and c.measures[0] in wanted for c in reply.choices[:4]):
        return "offered"
    return "missed"


def judge_all(finder: Finder, knowledge: Knowledge, questions: Iterable[Question]) -> list[Judged]:
    """Ask every question as a conversation of its own."""
    judged = []
    for question in questions:
        reply = next(converse(finder, knowledge, [question.text]))
        judged.append(Judged(question, reply, judge(question, reply)))
    return judged


def shares(judged: Iterable[Judged]) -> dict[str, Any]:
    """Return how many there are, the share of each verdict and, where entries are labelled, of answers from the right one."""
    judged = list(judged)
    verdicts = [one.verdict for one in judged]
    total = len(verdicts)
    counted: dict[str, Any] = {"n": total, **{verdict: verdicts.count(verdict) / total for verdict in dict.fromkeys(verdicts)}}
    labelled = [one for one in judged if one.question.entries]
    if labelled:
        counted[RIGHT_ENTRY] = sum(one.reply.entry in one.question.entries for one in labelled) / len(labelled)
    return counted
