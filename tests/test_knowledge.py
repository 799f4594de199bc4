"""What check.py says of a knowledge base that is wrong: every kind of problem, with its place, all at once."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT

from bot.catalogue import Knowledge
from bot.knowledge import KnowledgeError, inspect, load
from bot.knowledge.figures import figures, loose_deadlines
from bot.rendering import MOST_CHARACTERS, WECHAT_BYTES, entry_text

TODAY = date(2026, 11, 23)
FAQ = "faq/07-押金和证件.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the real knowledge base with one service only, so that a test reads it in a moment."""
    copy = tmp_path / "knowledge"
    shutil.copytree(ROOT / "knowledge", copy)
    for path in (copy / "faq").iterdir():
        if not path.name.startswith("07-"):
            path.unlink()
    shutil.rmtree(copy / "guides")
    (copy / "menu.md").write_text("# 菜单\n\n## 主要服务\n\n- 押金 → deposit-refund\n", encoding="utf-8")
    text = (copy / "emergencies.md").read_text(encoding="utf-8")
    kept = "\n".join(line for line in text.split("\n") if not line.startswith("- 之后"))
    (copy / "emergencies.md").write_text(kept, encoding="utf-8")
    return copy


def edit(folder: Path, old: str, new: str, name: str = FAQ) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(folder: Path) -> list[str]:
    return [str(problem) for problem in inspect(folder, TODAY)[1] if not problem.notice]


def test_the_part_is_right(folder: Path) -> None:
    assert problems(folder) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" {#deposit-refund}", "", "缺编号"),
        ("{#deposit-refund}", "{#deposit-legal}", "已经用过"),
        ("{#deposit-refund}", "{#押金}", "缺编号"),
        ("### 短答", "### 简答", "不认识的段「简答」：是不是「短答」"),
        ("### 问法", "### 问发", "没有问法"),
        ("- 去哪办：", "- 去那办：", "不认识的项「去那办」：是不是「去哪办」"),
        ("劳动保障监察综合执法监督支队", "劳动监察支队", "offices.md 里没有"),
        ("劳动保障监察综合执法监督支队", "养老保险科", "不是措施"),
        ("- 措施：7、20", "- 措施：7、99", "没有措施「99」"),
        ("- 方面：", "- 方面：随便、", "不认识的方面「随便」"),
        ("- 依据：劳动合同法", "- 依据：劳动合同", "sources/ 里没有依据"),
        ("- 核对日期：2026-11-23", "- 核对日期：昨天", "日期「昨天」看不懂"),
        ("- 核对日期：2026-11-23", "- 核对日期：2027-11-23", "还没到"),
        ("### 短答\n\n", "### 短答\n\n交了8888元也要退。", "8888元"),
        ("### 短答\n\n", "### 短答\n\n打13800138000。", "13800138000"),
        ("### 短答\n\n", "### 短答\n\n3日内去办。", "从哪天起算"),
        ("### 短答\n\n", "### 短答\n\n" + "很" * 60, "最多60字"),
        ("### 短答\n\n", "### 说明\n\n" + "很长" * 300 + "\n\n### 短答\n\n", "最多500字"),
        ("### 问法\n\n", "### 问法\n\n- 押金\n", "太宽"),
        ("### 问法\n\n", "### 问法\n\n- 押金不退怎么要回来\n", ""),
    ],
)
def test_each_kind_of_mistake_is_told_with_its_place(folder: Path, old: str, new: str, said: str) -> None:
    edit(folder, old, new)
    told = problems(folder)
    if said:
        assert any(said in one and one.startswith(FAQ) for one in told)
        assert all(one.split(":")[1].isdigit() for one in told)


def test_one_wording_under_two_entries_names_both(folder: Path) -> None:
    text = (folder / FAQ).read_text(encoding="utf-8")
    (folder / FAQ).write_text(text.replace("### 问法\n\n", "### 问法\n\n- 同一句话不能放两处\n"), encoding="utf-8")
    assert any("同一句话不能放两处" in one and "重复" in one for one in problems(folder))


def test_all_problems_come_at_once(folder: Path) -> None:
    edit(folder, "{#deposit-refund}", "")
    edit(folder, "- 名称：", "- 名：", "hotlines.md")
    (folder / "places.md").write_bytes("# 地方".encode("gbk"))
    told = problems(folder)
    assert {one.split(":")[0] for one in told} >= {FAQ, "hotlines.md", "places.md"}
    assert any("不是 UTF-8" in one for one in told)
    with pytest.raises(KnowledgeError) as caught:
        load(folder, TODAY)
    assert len(caught.value.problems) == len(told)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(folder: Path) -> None:
    raw = (folder / FAQ).read_bytes()
    (folder / FAQ).write_bytes(b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"))
    assert problems(folder) == []


def test_an_expired_entry_needs_a_notice(folder: Path) -> None:
    edit(folder, "- 核对日期：2026-11-23\n", "- 核对日期：2026-11-23\n- 有效期至：2026-01-01\n")
    assert any("有效期已过" in one for one in problems(folder))


@pytest.mark.parametrize("missing", ["words.md", "smalltalk.md", "offices.md"])
def test_a_missing_file_is_told(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert any(one.startswith(f"{missing}:1: 缺这个文件") for one in problems(folder))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("一个月内签，最多12个月", {"1月", "12月"}),
        ("收到后15日（自然日）内", {"15日"}),
        ("云人社函〔2023〕139号，2023-05-05", {"云人社函〔2023〕139号", "2023年", "5月", "5日"}),
        ("每人500至2000元，打12333", {"500元", "2000元", "12333"}),
        ("两倍工资、百分之八十即80％", {"2倍", "80%"}),
    ],
)
def test_figures_are_found_in_one_form(text: str, found: set[str]) -> None:
    assert figures(text) == found


@pytest.mark.parametrize(
    ("text", "loose"),
    [
        ("15日内起诉", ["15日"]),
        ("收到裁决书次日起15日（自然日）内起诉", []),
        ("立案后60个工作日内查完", []),
        ("1年内申请", ["1年"]),
        ("从事故发生那天起1年内申请", []),
    ],
)
def test_a_time_limit_says_from_when_and_in_which_days(text: str, loose: list[str]) -> None:
    assert [one.removesuffix("内") for one in loose_deadlines(text)] == loose


# --- The real knowledge base ----------------------------------------------------------------------------------------------


def test_every_figure_of_every_answer_is_traced_and_nothing_else_is_wrong() -> None:
    told = [str(problem) for problem in inspect(ROOT / "knowledge", date.today())[1] if not problem.notice]
    assert told == []


def test_there_is_enough_of_everything(knowledge: Knowledge) -> None:
    count = dict.fromkeys(knowledge.measures, 0)
    for entry in knowledge.entries.values():
        for number in entry.measures[:1]:
            count[number] += 1
    assert len(knowledge.entries) >= 130
    assert min(count.values()) >= 3
    assert all(count[number] >= 7 for number in (1, 3, 6, 7, 8, 10, 11, 14, 18, 20)), count
    assert min(len(entry.phrasings) for entry in knowledge.entries.values()) >= 10


def test_answers_are_short_enough_to_read_at_a_red_light(knowledge: Knowledge) -> None:
    texts = [entry_text(entry, TODAY) for entry in knowledge.entries.values()]
    assert max(map(len, texts)) <= MOST_CHARACTERS
    assert max(len(text.encode()) for text in texts) <= WECHAT_BYTES


def test_every_answer_names_its_door_its_office_its_basis_and_when_it_was_checked(knowledge: Knowledge) -> None:
    for entry in knowledge.entries.values():
        lines = entry_text(entry, TODAY).split("\n")
        assert lines[0] == entry.answer.short
        assert [line.split("：")[0] for line in lines[-4:]] == ["去哪办", "责任科室", "依据", "核对日期"]


def test_offices_are_the_plans_thirteen_and_the_five_counties_with_nothing_invented(knowledge: Knowledge) -> None:
    levels = [office.level for office in knowledge.offices.values()]
    assert (levels.count("市"), levels.count("县")) == (13, 5)
    named = {name for measure in knowledge.measures.values() for name in measure.offices}
    assert named == {office.name for office in knowledge.offices.values() if office.level == "市"}


@pytest.mark.parametrize(
    "banned",
    ["现行有效", "粤人社规〔2021〕5号", "粤人社规〔2020〕55号", "0766-", "48小时报案", "肯定不是劳动关系"],
)
def test_what_must_not_be_said_is_not_said(knowledge: Knowledge, banned: str) -> None:
    saying = [entry.id for entry in knowledge.entries.values() if banned in entry_text(entry, TODAY)]
    assert saying == []
