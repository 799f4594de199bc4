"""What the finder understands: stored wordings, typos, polarity, broad words, and the development questions' figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bot.answer import Library
from bot.understanding.asking import ask_of

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from judging import RIGHT_ENTRY, converse, judge_all, judge_turn, read_conversations, read_questions, shares  # noqa: E402

QUESTIONS = ROOT / "tests" / "questions"
MEASURED = json.loads((QUESTIONS / "measured.json").read_text(encoding="utf-8"))
"""The figures of the last accepted run of ``evaluate.py``; a change may not lose more than a point."""

POINT = 0.01


def test_every_wording_reaches_its_entry(library: Library) -> None:
    broad = set(library.knowledge.words.broad)
    lost = [
        (entry.id, phrasing)
        for entry in library.knowledge.entries.values()
        for phrasing in (entry.question, *entry.phrasings)
        if phrasing not in broad and library.finder.find(phrasing).matches[0].entry != entry.id
    ]
    assert lost == []


def test_every_test_question_reaches_its_entry(library: Library) -> None:
    lost = [
        (entry.id, question)
        for entry in library.knowledge.entries.values()
        for question in entry.tests
        if library.finder.find(question).matches[0].entry != entry.id
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("公伤怎么申请", "工伤"),
        ("站点压金不退", "押金"),
        ("老板托欠工资", "拖欠"),
        ("失夜登记去哪办", "失业"),
        ("劳动仲财要钱吗", "仲裁"),
    ],
)
def test_mistyped_words_are_heard(library: Library, typed: str, heard: str) -> None:
    findings = library.finder.find(typed)
    assert findings.outcome == "sure"
    assert heard in findings.standard


STORY = "我在站点干了两年，站长收了我八百块押金，上个月老婆刚生了二胎，家里开销大，天天下雨单子又少。"


@pytest.mark.parametrize("order", ["{story}{ask}", "{ask}{story}"])
@pytest.mark.parametrize(
    ("ask", "measure"),
    [
        ("请问灵活就业的养老保险怎么交？", 11),
        ("请问工伤认定要带什么材料？", 10),
        ("请问失业登记在哪里办？", 6),
        ("请问有没有免费的培训班？", 15),
    ],
)
def test_the_ask_decides_in_a_story(library: Library, order: str, ask: str, measure: int) -> None:
    reply = next(converse(library.finder, library.knowledge, [order.format(story=STORY, ask=ask)]))
    assert (reply.kind, reply.measures[:1]) == ("answer", (measure,))


def test_a_story_about_two_things_is_asked_back(library: Library) -> None:
    reply = next(converse(library.finder, library.knowledge, [f"{STORY}可以告他不签合同吗？"]))
    assert reply.kind == "choices"
    assert {choice.measures[0] for choice in reply.choices[:4]} >= {1, 7}


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("押金不退怎么办？", None),
        (f"{STORY}能退吗？谢谢你。", "能退吗?"),
        (f"多久能退？{STORY}", "多久能退?"),
        (f"怎么办？{STORY}找谁？", "怎么办? 找谁?"),
        (STORY, None),
        ("能不能退？" * 12, None),
    ],
)
def test_the_ask_of_a_story(text: str, ask: str | None) -> None:
    assert ask_of(text.replace("？", "?")) == ask


@pytest.mark.parametrize(
    ("text", "danger"),
    [
        # What happens now decides which danger it is, not how the rest of the story reads.
        ("你好，我想问下，我老公送貨俾泥頭車撞到，而家喺路邊瞓喺度，平台話唔關佢事，點算好", "crash"),
        ("跟你讲啊阿妹，我老公同人送货，噚日都好好地，而家喺路边晕咗，叫极都唔应，公司电话又冇人听", "unconscious"),
    ],
)
def test_which_danger_a_story_tells_of(library: Library, text: str, danger: str) -> None:
    assert library.finder.find(text).danger == danger


@pytest.mark.parametrize("asked", ["狗狗受伤了怎么办", "番茄炒蛋怎么做", "租房押金不退怎么办", "公积金怎么提取"])
def test_a_strange_word_counts_against_the_answer(library: Library, asked: str) -> None:
    assert library.finder.find(asked).outcome != "sure"


@pytest.mark.parametrize("word", ["押金", "保险", "补贴", "登记", "投诉"])
def test_a_broad_word_gets_a_list(library: Library, word: str) -> None:
    reply = next(converse(library.finder, library.knowledge, [word]))
    assert reply.kind == "choices"
    assert len(reply.choices) >= 3


@pytest.mark.parametrize("name", [path.stem for path in sorted(QUESTIONS.glob("*.jsonl")) if path.stem != "conversations"])
def test_understanding_does_not_get_worse(library: Library, name: str) -> None:
    judged = judge_all(library.finder, library.knowledge, read_questions(QUESTIONS / f"{name}.jsonl"))
    for kind, measured in MEASURED[name].items():
        now = shares([one for one in judged if one.question.kind == kind])
        for good in ("right", "refused", RIGHT_ENTRY):
            assert now.get(good, 0) >= measured.get(good, 0) - POINT, (kind, good)
        for bad in ("wrong", "false alarm"):
            assert now.get(bad, 0) <= measured.get(bad, 0) + POINT, (kind, bad)


def test_conversations_do_not_get_worse(library: Library) -> None:
    verdicts = [
        judge_turn(gold, reply)
        for turns, golds in read_conversations(QUESTIONS / "conversations.jsonl")
        for gold, reply in zip(golds, converse(library.finder, library.knowledge, turns), strict=True)
    ]
    good = sum(verdict in ("right", "offered") for verdict in verdicts) / len(verdicts)
    assert good >= MEASURED["conversations"]["right or offered"] - POINT
