"""What must hold across the whole knowledge base before it goes live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from bot.catalogue import Entry, Knowledge
from bot.knowledge.figures import figures, loose_deadlines
from bot.knowledge.problems import Problem, Report
from bot.rendering import MOST_CHARACTERS, WECHAT_BYTES, entry_text

SHORT_CHARACTERS = 60
"""The first line is the answer; longer than this it is no line."""

TO_WRITE = "（待写）"
"""Stands in drafts where staff must write."""


def check(knowledge: Knowledge, today: date, report: Report) -> None:
    """Note everything in ``knowledge`` that would mislead someone."""
    _check_wordings(knowledge, report)
    hotlines = frozenset(knowledge.hotlines)
    for entry in knowledge.entries.values():
        report.problems += _entry_problems(entry, hotlines)
        _check_validity(entry, today, report)
    _check_targets(knowledge, report)


def _check_wordings(knowledge: Knowledge, report: Report) -> None:
    """One wording under two entries can reach only one of them; a broad word is meant to reach a list."""
    seen: dict[str, Entry] = {}
    for entry in knowledge.entries.values():
        for phrasing in entry.phrasings:
            if phrasing in knowledge.words.broad:
                report.error(entry.path, entry.line, f"问法「{phrasing}」太宽（见 words.md），写具体一点")
            other = seen.setdefault(phrasing, entry)
            if other is not entry:
                where = f"{other.path}:{other.line}「{other.question}」"
                report.error(entry.path, entry.line, f"问法「{phrasing}」和 {where} 重复：只留一处")
            elif entry.phrasings.count(phrasing) > 1:
                report.notice(entry.path, entry.line, f"问法「{phrasing}」写了两遍")


@lru_cache(maxsize=4096)
def _entry_problems(entry: Entry, hotlines: frozenset[str]) -> tuple[Problem, ...]:
    """Return what is wrong with one entry by itself; looked up when another file was edited."""
    report = Report()
    _check_length(entry, report)
    if any(TO_WRITE in text for text in (entry.question, *entry.phrasings, *_statements(entry))):
        report.error(entry.path, entry.line, f"「{entry.question}」还有「{TO_WRITE}」：写好再上线")
    _check_figures(entry, hotlines, report)
    return tuple(report.problems)


def _check_length(entry: Entry, report: Report) -> None:
    text = entry_text(entry, date.min)
    if len(entry.answer.short) > SHORT_CHARACTERS:
        report.error(entry.path, entry.line, f"短答{len(entry.answer.short)}字，最多{SHORT_CHARACTERS}字：第一句只说答案")
    if len(text) > MOST_CHARACTERS:
        report.error(entry.path, entry.line, f"「{entry.question}」显示出来{len(text)}字，最多{MOST_CHARACTERS}字：删短")
    if len(text.encode()) > WECHAT_BYTES:
        report.error(entry.path, entry.line, f"「{entry.question}」超过微信的{WECHAT_BYTES}字节：删短")


def _check_figures(entry: Entry, hotlines: frozenset[str], report: Report) -> None:
    """Every figure must stand in a source that the entry names; hotlines are a source of their own."""
    known = set(hotlines)
    for basis in entry.basis:
        source = basis.source
        known |= figures("\n".join([*source.facts, source.title, source.citation, source.number, source.date, source.status]))
        known |= {source.number.replace(" ", ""), source.citation.replace(" ", "")}
    for part in _statements(entry):
        for figure in sorted(figures(part) - known):
            named = "、".join(basis.source.name for basis in entry.basis)
            report.error(
                entry.path,
                entry.line,
                f"「{entry.question}」里的「{figure}」在依据（{named}）的事实里找不到：核对，或补记到来源",
            )
        for limit in loose_deadlines(part):
            report.error(entry.path, entry.line, f"「{entry.question}」的期限「{limit}」要写明从哪天起算、是自然日还是工作日")


def _statements(entry: Entry) -> Iterator[str]:
    answer = entry.answer
    yield answer.short
    yield entry.door
    for part in (answer.steps, answer.papers, answer.evidence, answer.notes, answer.changes):
        yield from part


def _check_validity(entry: Entry, today: date, report: Report) -> None:
    if entry.checked > today:
        report.error(entry.path, entry.line, f"核对日期 {entry.checked} 还没到：写实际核对的那天")
    if entry.valid_until and entry.valid_until < today and not entry.answer.changes:
        report.error(entry.path, entry.line, f"有效期已过（{entry.valid_until}）：核对后改日期，或加一段 ### 变化 说明")


def _check_targets(knowledge: Knowledge, report: Report) -> None:
    """Whatever the other files point at must exist."""
    targets = set(knowledge.entries) | set(knowledge.guides)
    for item in [*knowledge.main_services, *(item for group in knowledge.menu for item in group.items)]:
        if item.target not in targets and not item.target.startswith("http") and item.target not in knowledge.smalltalk:
            report.error("menu.md", 1, f"「{item.text}」指向的 {item.target} 不存在")
    for rule in knowledge.emergencies:
        if rule.then and rule.then not in knowledge.entries:
            report.error("emergencies.md", 1, f"「{rule.id}」的“之后”指向的 {rule.then} 不存在")
        for line in rule.lines:
            if line not in knowledge.hotlines:
                report.error("emergencies.md", 1, f"热线 {line} 不在 hotlines.md")
