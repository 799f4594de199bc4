"""The guide for staff does what it says: each example is run on the real knowledge base, each message is explained."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from broken_edits import EDITS, Broken
from conftest import ROOT
from small_knowledge import TEXTS

from bot.answer import Library
from bot.catalogue import Knowledge
from bot.curation.guard import ask, guard, problems
from bot.knowledge.folder import inspect_texts, read_texts
from bot.knowledge.problems import Problem, Report
from bot.rendering import contact
from bot.understanding.matching import Finder

GUIDE = (ROOT / "knowledge" / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(diff|markdown) (\S+)\n(.*?)^```", re.M | re.S)
HEADING = re.compile(r"^### (.+)$", re.M)
EXAMPLES = [
    (HEADING.findall(re.sub(r"^```.*?^```", "", GUIDE[: found.start()], flags=re.M | re.S))[-1], *found.groups())
    for found in FENCE.finditer(GUIDE)
]
EXPLAINED = re.findall(r"^\| `([^`]+)` \| ", GUIDE.partition("## 检查的话是什么意思")[2], re.M)
TODAY = date(2026, 11, 23)


def edited(text: str, kind: str, example: str) -> str:
    """Return a file with an example applied: whole for markdown, the lines before and after for diff."""
    if kind == "markdown":
        return example
    lines = example.rstrip("\n").split("\n")
    old = "\n".join(line[1:] for line in lines if line[0] in " -")
    new = "\n".join(line[1:] for line in lines if line[0] in " +")
    assert f"\n{old}\n" in text, f"not in the file any more: {old}"
    return text.replace(f"\n{old}\n", f"\n{new}\n", 1)


def apply(name: str) -> tuple[Knowledge, dict[str, str]]:
    _, kind, path, example = next(one for one in EXAMPLES if one[0] == name)
    texts = read_texts(ROOT / "knowledge", Report())
    texts = {**texts, path: edited(texts.get(path, ""), kind, example)}
    knowledge, found = inspect_texts(texts, TODAY, Report())
    assert knowledge is not None, found
    return knowledge, texts


def test_the_guide_has_its_examples() -> None:
    names = [name for name, *_ in EXAMPLES]
    assert names == ["加一种问法", "改一个答案", "加一条问答", "加一个骑手说的词", "填科室的电话"]


@pytest.mark.parametrize(
    ("name", "question", "entry"),
    [
        ("加一种问法", "交给站点的那笔押金至今没见退", "deposit-refund"),
        ("改一个答案", "入职收押金合法吗", "deposit-legal"),
        ("加一条问答", "例子服务要去哪个地方打听", "example-service-where"),
        ("加一个骑手说的词", "押桶银不退怎么要回来", "deposit-refund"),
    ],
)
def test_an_example_works(library: Library, tmp_path: Path, name: str, question: str, entry: str) -> None:
    knowledge, texts = apply(name)
    finder = Finder(knowledge, tmp_path, library.finder)
    assert [p for p in problems(guard(Library(knowledge, finder), library), knowledge, texts) if not p.notice] == []
    reply = ask(question, knowledge, finder)
    assert (reply.kind, reply.entry) == ("answer", entry)


def test_the_changed_answer_is_said(library: Library) -> None:
    knowledge, _ = apply("改一个答案")
    assert knowledge.entries["deposit-legal"].answer.short != library.knowledge.entries["deposit-legal"].answer.short


def test_the_phone_is_shown() -> None:
    knowledge, _ = apply("填科室的电话")
    assert "0766-1234567" in contact(knowledge.offices["labour-relations"])


def told(edit: Broken) -> list[Problem]:
    """Return what the check says of a broken edit of the small knowledge base (not whether it steals)."""
    report = Report()
    try:
        text = {edit.path: edit.content.decode()}
    except UnicodeDecodeError:
        return [Problem(edit.path, 1, "不是 UTF-8 编码")]
    return [p for p in inspect_texts({**TEXTS, **text}, TODAY, report)[1] if not p.notice]


def test_every_message_of_the_check_is_explained() -> None:
    messages = [problem.text for edit in EDITS for problem in told(edit)]
    assert [text for text in messages if not any(words in text for words in EXPLAINED)] == []


def test_nothing_is_explained_that_is_never_said() -> None:
    said = "\n".join(problem.text for edit in EDITS for problem in told(edit))
    files = (ROOT / "bot/curation/guard.py", ROOT / "bot/knowledge/checks.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    judged = dict.fromkeys(("会抢走", "问不到它", "这个词以后", "很像"), code)
    rare = {**judged, "还有「（待写）」": code.replace("{TO_WRITE}", "（待写）")}
    assert [words for words in EXPLAINED if words not in rare.get(words, said)] == []
