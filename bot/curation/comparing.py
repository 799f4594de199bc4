"""Says which questions two versions of the knowledge base answer differently; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.answer import Library
from bot.curation.guard import ask
from bot.curation.staffing import Change

MOST_NAMED = 3


def changes(
    questions: Iterable[str], before: Library, after: Library, progress: Callable[[int], None] = lambda _done: None
) -> list[Change]:
    """Return the questions that get another reply, in the order given; ``progress`` is told how many were asked."""
    found = []
    for number, question in enumerate(dict.fromkeys(questions), 1):
        progress(number)
        old, new = outcome(question, before), outcome(question, after)
        if old != new:
            found.append(Change(question, old, new))
    return found


def outcome(question: str, library: Library) -> str:
    """Return in a few words what a question is answered with."""
    knowledge = library.knowledge
    reply = ask(question, knowledge, library.finder)
    if reply.kind == "answer" and reply.entry:
        return f"答「{knowledge.entries[reply.entry].question}」"
    if reply.kind == "choices":
        return "列出：" + "、".join(choice.text for choice in reply.choices[:MOST_NAMED])
    if reply.kind == "none":
        return f"指到{reply.refer.name}" if reply.refer else "不知道"
    return {"emergency": "紧急情况", "smalltalk": "固定回应"}[reply.kind]
