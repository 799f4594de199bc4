"""Every stored question still reaches its entry; an edit that steals one is named with both entries and the wording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz import fuzz, process
from small_knowledge import DEPOSIT, TEXTS, UNEMPLOYMENT

from bot.answer import Library
from bot.catalogue import Knowledge
from bot.curation.guard import guard, problems
from bot.curation.likeness import alike
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
def former(dictionary: Path) -> Library:
    knowledge = read()[0]
    return Library(knowledge, Finder(knowledge, dictionary))


def edited(knowledge: Knowledge, former: Library, dictionary: Path) -> Library:
    return Library(knowledge, Finder(knowledge, dictionary, former.finder))


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
    Edit("a word list", "words.md", "- 工资：人工、粮", "- 工资：人工、粮、工钱", "", ()),
    Edit(
        "a word that makes two wordings one",
        "words.md",
        "- 工资：人工、粮",
        "- 工资：人工、粮\n- 失业登记：身份证被扣",
        "words.md:6:",
        ("身份证被扣", "身份证被扣怎么办", "失业登记怎么办"),
    ),
    Edit(
        "a word that makes a wording a neighbour's",
        "words.md",
        "- 工资：人工、粮",
        "- 工资：人工、粮\n- 住院费用怎么报销：老板拖欠工资",
        "words.md:6:",
        ("老板拖欠工资", "别处"),
    ),
    Edit("a word that is no matter", "words.md", "- 工资：人工、粮", "- 工资：人工、粮\n- 身份证：证照、身份证明"),
    Edit("a frame", "words.md", "- 请问", "- 请问\n- 押金", "", ()),
    Edit(
        "a known word that loses a test",
        "words.md",
        "## 套话",
        "## 专门的词\n\n- 押金要不回来\n\n## 套话",
        f"{FILE}:30:",
        ("押金要不回来了", "问不到"),
    ),
    Edit("a known word", "words.md", "## 套话", "## 专门的词\n\n- 书面要求\n\n## 套话"),
    Edit("a broad word", "words.md", "- 工伤", "- 工伤\n- 人工不发怎么办", "faq/wages.md:5:", ("工资不发怎么办", "只列出几条")),
    Edit("a place", "places.md", "- 叫法：罗定、", "- 叫法：老板拖欠工资、罗定、", "faq/wages.md:15:", ("老板拖欠工资",)),
    Edit("a town", "places.md", "- 镇街：罗城", "- 镇街：罗城、老板拖欠工资", "faq/wages.md:15:", ("老板拖欠工资",)),
    Edit(
        "a fixed talk in dialect", "smalltalk.md", "- 菜单\n", "- 菜单\n- 干了两个月一分钱没发\n", "faq/wages.md:17:", ("固定",)
    ),
    Edit("danger in a wording", FILE, WORDING, f"{WORDING}\n- 抢身份证的时候流血了"),
)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_is_judged_by_its_meaning(former: Library, dictionary: Path, edit: Edit) -> None:
    assert edit.old in TEXTS[edit.file]
    knowledge, texts = read(
        **{edit.file.removesuffix(".md").replace("/", "__"): TEXTS[edit.file].replace(edit.old, edit.new, 1)}
    )
    told = problems(guard(edited(knowledge, former, dictionary), former), knowledge, texts)
    if not edit.words:
        assert told == []
        return
    assert [line for line in map(str, told) if line.startswith(edit.place) and all(word in line for word in edit.words)]
    assert not any(problem.notice for problem in told)


def test_an_edit_never_passes_what_the_whole_check_refuses(former: Library, dictionary: Path) -> None:
    """But for the pairs that were there before: those the whole check only lists."""
    for edit in EDITS:
        name = edit.file.removesuffix(".md").replace("/", "__")
        knowledge, _ = read(**{name: TEXTS[edit.file].replace(edit.old, edit.new, 1)})
        changed = edited(knowledge, former, dictionary)
        whole = {one.question for one in guard(changed) if not one.mild}
        assert whole <= {one.question for one in guard(changed, former)}, edit.name


def test_the_small_knowledge_base_is_sound(former: Library) -> None:
    told: list[tuple[int, int]] = []
    assert guard(former, progress=lambda done, total: told.append((done, total))) == []
    assert told[-1][0] == told[-1][1] == len(told) > 15


def test_an_entry_that_no_question_reaches_is_an_error(dictionary: Path) -> None:
    """Its title and all its wordings are taken by what comes before any answer."""
    taken = ["失业登记要什么材料", "登记失业带什么证件", "失业登记材料清单", "登记失业需要照片不"]
    talk = TEXTS["smalltalk.md"].replace("- 菜单\n", "- 菜单\n" + "".join(f"- {text}\n" for text in taken))
    knowledge, texts = read(smalltalk=talk)
    told = problems(guard(Library(knowledge, Finder(knowledge, dictionary))), knowledge, texts)
    assert f"{OTHER}:23: 没有一句问得到「失业登记要什么材料」：加几条别处没有的问法" in map(str, told)
    assert len(told) == 5


def test_a_new_entry_and_one_taken_away(former: Library, dictionary: Path) -> None:
    start = UNEMPLOYMENT.index("## 失业登记要什么材料")
    without = UNEMPLOYMENT[:start]
    less = edited(read(faq__unemployment=without)[0], former, dictionary)
    assert guard(less, former) == []
    assert guard(edited(former.knowledge, less, dictionary), less) == []


def test_drafts_cannot_go_live() -> None:
    texts = {**TEXTS, FILE: DEPOSIT.replace("单位不能扣身份证。", "（待写）")}
    knowledge, found = inspect_texts(texts, TODAY, Report())
    assert knowledge is None
    assert any("待写" in problem.text for problem in found)


def test_nothing_edited_is_nothing_asked(former: Library) -> None:
    told: list[int] = []
    assert guard(former, former, lambda done, _: told.append(done)) == []
    assert told == []


@pytest.mark.parametrize("least", [60.0, 75.0, 85.0, 90.0, 100.0])
def test_what_is_alike_is_found_as_if_each_was_compared_with_each(knowledge: Knowledge, least: float) -> None:
    texts = [text for entry in knowledge.entries.values() for text in entry.phrasings][:1500]
    ratios = process.cdist(texts, texts, scorer=fuzz.ratio)
    expected = {(int(i), int(j)) for i, j in zip(*np.nonzero(ratios >= least), strict=True)}
    assert {(i, j) for i, j, _ in alike(texts, texts, least)} == {(i, j) for i, j in expected if i < j}
    assert {(i, j) for i, j, _ in alike(texts[300:900], texts, least)} == {(i - 300, j) for i, j in expected if 300 <= i < 900}


@pytest.mark.parametrize(
    "pair",
    [("", ""), ("押", "押"), ("押金", "金押"), ("押金退", "押金退吗"), ("工资", "资工"), ("aa", "aaa"), ("啊" * 40, "啊" * 45)],
)
def test_short_and_odd_texts_are_compared_too(pair: tuple[str, str]) -> None:
    texts = [*pair, *(f"别的{number}号" for number in range(300))]
    found = [likeness for i, j, likeness in alike(texts, texts, 80.0) if (i, j) == (0, 1)]
    ratio = fuzz.ratio(*pair)
    assert found == ([pytest.approx(ratio)] if ratio >= 80.0 else [])
