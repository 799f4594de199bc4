"""One form for what people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import Library
from bot.understanding.text import Normaliser, compact, sentences

REPLACE = {
    "点算": "怎么办",
    "唔": "不",
    "冇": "没有",
    "冇工做": "失业",
    "边度": "哪里",
    "揾工": "找工作",
    "嗰個": "那个",
    "人工": "工资",
    "工人工资": "工人工资",
    "转人工": "转人工",
    "几时": "什么时候",
    "elm": "饿了么",
}


@pytest.fixture(scope="module")
def normaliser() -> Normaliser:
    return Normaliser(REPLACE)


@pytest.mark.parametrize(
    ("raw", "standard"),
    [
        ("失業登記點算", "失业登记怎么办"),
        ("ＡＰＰ　１２３４５", "app 12345"),
        ("押金😭唔退[流泪]/::)", "押金 不退"),
        ("工\u200b资\u202e没发\x07", "工资没发"),
        ("冇工做，边度揾工", "失业,哪里找工作"),
        ("嗰個押金", "那个押金"),
        ("工人工资", "工人工资"),
        ("转人工", "转人工"),
        ("人工几时出", "工资什么时候出"),
    ],
)
def test_forms(normaliser: Normaliser, raw: str, standard: str) -> None:
    assert normaliser(raw).standard == standard


def test_latin_words_are_replaced_whole(normaliser: Normaliser) -> None:
    assert "饿了么" in normaliser("elm的单").standard
    assert normaliser("elmtree").standard == "elmtree"


def test_sentences_and_compact() -> None:
    assert sentences("你好。工资没发，怎么办？ 急") == ["你好", "工资没发", "怎么办"]
    assert compact(" 押金，不退！ ") == "押金不退"


@given(st.text(max_size=300))
def test_any_text_has_a_form_and_a_reading(library: Library, raw: str) -> None:
    findings = library.finder.find(raw)
    assert all(0 <= match.score <= 1 for match in findings.matches)


@pytest.mark.parametrize(
    "raw", ["", " " * 50, "\u200b" * 30, "\x00\x01", "'; drop table turns;--", "<b>x</b>", "一" * 2000, "\ud800"]
)
def test_odd_input_finds_nothing_and_breaks_nothing(library: Library, raw: str) -> None:
    assert library.finder.find(raw).outcome in ("nothing", "neighbour", "unsure")
