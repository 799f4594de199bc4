"""Says to staff, in a few lines, why a question finds what it finds, and what to add where; pure."""

from __future__ import annotations

from bot.catalogue import Knowledge
from bot.model import Findings, Match

OUTCOMES = {
    "sure": "有把握，直接回答",
    "unsure": "没把握，列出来让人选",
    "neighbour": "不归这里管，指路",
    "nothing": "不知道",
}
RUNNERS_UP = 3


def explain(findings: Findings, knowledge: Knowledge) -> list[str]:
    """Return the lines: what was read, what was found with its score and words, the runners-up, what to do about it."""
    lines = [f"看成：{findings.standard}", f"结果：{OUTCOMES[findings.outcome]}"]
    if findings.corrected:
        lines.append(f"听成：「{findings.corrected}」（原文像是同音字）")
    if findings.neighbour:
        lines.append(f"邻近事项：{knowledge.neighbours[findings.neighbour].name}")
    lines += [_line(match, knowledge) for match in findings.matches[: 1 + RUNNERS_UP]]
    return [*lines, advice(findings, knowledge)]


def _line(match: Match, knowledge: Knowledge) -> str:
    entry = knowledge.entries[match.entry]
    shared = "、".join(match.why.shared) or "无"
    where = f"{entry.id}，{entry.path}:{entry.line}"
    return f"{match.score:.2f} 「{entry.question}」（{where}），最近的问法「{match.why.phrasing}」，共有的词：{shared}"


def advice(findings: Findings, knowledge: Knowledge) -> str:
    """Return the one line to act on: what nobody knew, what to add where."""
    if not findings.matches:
        return "知识库里没有相近的：该归这里管，就加一条问答"
    first = findings.matches[0]
    unknown = "、".join(first.why.unknown)
    words = f"没人认识的词：{unknown}。" if unknown else ""
    if findings.outcome == "sure":
        return f"{words}答对了就不用改；该答另一条，在那一条加这句问法即可"
    entry = knowledge.entries[first.entry]
    return f"{words}该答「{entry.question}」的话，在那一条（{entry.path}:{entry.line}）加这句问法即可"
