"""Every stored question still reaches its entry; an edit that steals one is named with both entries and the wording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from small_knowledge import DEPOSIT, TEXTS, UNEMPLOYMENT

from bot.catalogue import Knowledge
from bot.curation.guard import guard, problems
from bot.knowledge.folder import inspect_texts
from bot.knowledge.problems import Report
from bot.understanding.matching import Finder

pytest_plugins = ["staff_fixtures"]

FILE, OTHER = "faq/deposit.md", "faq/unemployment.md"
TODAY = date(2026, 11, 23)


def read(**changed: str) -> tuple[Knowledge, dict[str, str]]:
    texts = {**TEXTS, **{name.replace("__", "/") + ".md": text for name, text in changed.items()}}
    knowledge, found = inspect_texts(texts, TODAY, Report())
    assert knowledge is not None, found
    return knowledge, texts


@pytest.fixture(scope="module")
def finder(jieba_cache: Path) -> Finder:
    return Finder(read()[0], jieba_cache.parent)


@dataclass(frozen=True)
class Edit:
    """One edit and what the guard must say of it: nothing, or a line that begins and goes on like this."""

    name: str
    file: str
    old: str
    new: str
    place: str = ""
    words: tuple[str, ...] = ()


WORDING = "- 公司扣着我的身份证"
EDITS = (
    Edit("a harmless wording", FILE, WORDING, f"{WORDING}\n- 老板把我的证件锁起来了"),
    Edit("another answer", FILE, "单位不能扣身份证。", "谁也不能扣身份证。"),
    Edit(
        "like another's wording", FILE, WORDING, f"{WORDING}\n- 没工作了想登记失业呢", f"{FILE}:43:", ("失业登记怎么办", OTHER)
    ),
    Edit("the same but for marks", FILE, WORDING, f"{WORDING}\n- 没工作了，想登记失业！", f"{FILE}:43:", ("失业登记怎么办",)),
    Edit("like another's test", OTHER, "- 登记失业带什么证件", "- 押金要不回来了呢", f"{OTHER}:33:", ("押金要不回来了", FILE)),
    Edit("another number", FILE, WORDING, f"{WORDING}\n- 12345能管扣证吗\n"),
    Edit("a test that fails", FILE, "- 押金要不回来了", "- 今天天气好不好", f"{FILE}:30:", ("今天天气好不好",)),
    Edit("a test of another", FILE, "- 押金要不回来了", "- 登记失业带什么证件", f"{FILE}:30:", ("问不到",)),
    Edit(
        "a sign of danger",
        "emergencies.md",
        "- 流血/大出血",
        "- 流血/大出血\n- 身份证",
        FILE,
        ("公司扣着我的身份证", "紧急情况"),
    ),
    Edit("a fixed talk", "smalltalk.md", "- 菜单\n", "- 菜单\n- 老板拖欠工资\n", "faq/wages.md:15:", ("固定回应",)),
    Edit("a neighbour's wording", "neighbours.md", "- 住院费用怎么报销", "- 老板拖欠工资", "faq/wages.md:15:", ("别处",)),
    Edit("a word list", "words.md", "- 工资：人工、粮", "- 工资：人工、粮\n- 登记：要回", "", ()),
    Edit("danger in a wording", FILE, WORDING, f"{WORDING}\n- 抢身份证的时候流血了"),
)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_is_judged_by_its_meaning(finder: Finder, jieba_cache: Path, edit: Edit) -> None:
    former, _ = read()
    assert edit.old in TEXTS[edit.file]
    knowledge, texts = read(
        **{edit.file.removesuffix(".md").replace("/", "__"): TEXTS[edit.file].replace(edit.old, edit.new, 1)}
    )
    changed = Finder(knowledge, jieba_cache.parent, finder)
    told = problems(guard(knowledge, changed, former), knowledge, texts)
    if not edit.words:
        assert told == []
        return
    assert [line for line in map(str, told) if line.startswith(edit.place) and all(word in line for word in edit.words)]
    assert not any(problem.notice for problem in told)


def test_an_edit_never_passes_what_the_whole_check_refuses(finder: Finder, jieba_cache: Path) -> None:
    """But for the pairs that were there before: those the whole check only lists."""
    former, _ = read()
    for edit in EDITS:
        name = edit.file.removesuffix(".md").replace("/", "__")
        knowledge, _ = read(**{name: TEXTS[edit.file].replace(edit.old, edit.new, 1)})
        changed = Finder(knowledge, jieba_cache.parent, finder)
        whole = {one.question for one in guard(knowledge, changed) if not one.mild}
        assert whole <= {one.question for one in guard(knowledge, changed, former)}, edit.name


def test_the_small_knowledge_base_is_sound(finder: Finder) -> None:
    told: list[tuple[int, int]] = []
    assert guard(read()[0], finder, progress=lambda done, total: told.append((done, total))) == []
    assert told[-1][0] == told[-1][1] == len(told) > 15


def test_an_entry_that_no_question_reaches_is_an_error(jieba_cache: Path) -> None:
    """Its title and all its wordings are taken by what comes before any answer."""
    taken = ["失业登记要什么材料", "登记失业带什么证件", "失业登记材料清单", "登记失业需要照片不"]
    talk = TEXTS["smalltalk.md"].replace("- 菜单\n", "- 菜单\n" + "".join(f"- {text}\n" for text in taken))
    knowledge, texts = read(smalltalk=talk)
    told = problems(guard(knowledge, Finder(knowledge, jieba_cache.parent)), knowledge, texts)
    assert f"{OTHER}:23: 没有一句问得到「失业登记要什么材料」：加几条别处没有的问法" in map(str, told)
    assert len(told) == 5


def test_a_new_entry_and_one_taken_away(finder: Finder, jieba_cache: Path) -> None:
    former, _ = read()
    start = UNEMPLOYMENT.index("## 失业登记要什么材料")
    without = UNEMPLOYMENT[:start]
    for before, after in ((former, read(faq__unemployment=without)[0]), (read(faq__unemployment=without)[0], former)):
        assert guard(after, Finder(after, jieba_cache.parent, finder), before) == []


def test_drafts_cannot_go_live() -> None:
    texts = {**TEXTS, FILE: DEPOSIT.replace("单位不能扣身份证。", "（待写）")}
    knowledge, found = inspect_texts(texts, TODAY, Report())
    assert knowledge is None
    assert any("待写" in problem.text for problem in found)


def test_progress_is_optional(finder: Finder) -> None:
    nothing: Callable[[int, int], None] = lambda _done, _total: None  # noqa: E731
    assert guard(read()[0], finder, read()[0], nothing) == []
