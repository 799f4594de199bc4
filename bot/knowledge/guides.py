"""Reads ``knowledge/guides``: short decision trees, each ending at entries."""

from __future__ import annotations

import re
from collections.abc import Container

from bot.catalogue import Guide, GuideNode, Option
from bot.knowledge.lists import ARROW, split_names
from bot.knowledge.markdown import Item, Section
from bot.knowledge.problems import Report

OPTION = re.compile(r"^(?P<text>[^（(→]+?)\s*(?:[（(]说法：(?P<words>[^）)]+)[）)])?$")
MOST_QUESTIONS = 3
"""A person at a red light answers three questions, not four."""


def read_guide(report: Report, path: str, sections: tuple[Section, ...], entries: Container[str]) -> Guide | None:
    """Return the guide of one file; each ``##`` is a question, each list item ``文字（说法：…）→ 编号 → 原因``."""
    if len(sections) != 1 or not sections[0].id:
        report.error(path, 1, "文件要以一个 # 标题 {#编号} 开头")
        return None
    head = sections[0]
    triggers = head.child("触发")
    questions = [child for child in head.children if child.title != "触发"]
    ids = {child.id for child in questions if child.id}
    nodes = {
        child.id or "": GuideNode(child.id or "", child.title, _options(report, path, child, ids, entries))
        for child in questions
    }
    if not questions or not questions[0].id:
        report.error(path, head.line, "至少要有一个问题：## 问题 {#编号}")
        return None
    guide = Guide(
        head.id or "", head.title, tuple(i.text for i in triggers.items()) if triggers else (), questions[0].id, nodes
    )
    if (longest := depth(guide, guide.start)) > MOST_QUESTIONS:
        report.error(path, head.line, f"最多问{MOST_QUESTIONS}个问题，这里有一条路要问{longest}个")
    return guide


def depth(guide: Guide, node: str, seen: frozenset[str] = frozenset()) -> int:
    """Return how many questions the longest path from a node asks; a loop counts as endless (99)."""
    if node in seen:
        return 99
    deeper = [depth(guide, option.node, seen | {node}) for option in guide.nodes[node].options if option.node]
    return 1 + max(deeper, default=0)


def _options(report: Report, path: str, section: Section, nodes: set[str], entries: Container[str]) -> tuple[Option, ...]:
    options = [option for item in section.items() if (option := _option(report, path, item, nodes, entries))]
    if not options:
        report.error(path, section.line, f"「{section.title}」没有选项：加 - 文字 → 编号 → 原因")
    if not any("不清楚" in option.text or "不是" in option.text for option in options):
        report.error(path, section.line, f"「{section.title}」缺一个“不清楚”的选项")
    return tuple(options)


def _option(report: Report, path: str, item: Item, nodes: set[str], entries: Container[str]) -> Option | None:
    parts = ARROW.split(item.text)
    match = OPTION.match(parts[0].strip())
    if len(parts) < 2 or match is None:
        report.error(path, item.line, f"「{item.text}」要写成“文字（说法：词、词）→ 编号 → 原因”")
        return None
    target = parts[1]
    if target.startswith("#"):
        if target[1:] not in nodes:
            report.error(path, item.line, f"没有问题 {target}：看看 ## 标题后面的编号")
            return None
        return Option(match["text"], split_names(match["words"] or ""), target[1:], None, "")
    if target not in entries:
        report.error(path, item.line, f"没有编号是 {target} 的问答")
        return None
    if len(parts) < 3:
        report.error(path, item.line, f"「{match['text']}」后面要说一句为什么是这条：→ {target} → 原因")
        return None
    return Option(match["text"], split_names(match["words"] or ""), None, target, parts[2])
