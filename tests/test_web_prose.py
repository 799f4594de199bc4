"""How a reply's text becomes a page: telephone links, blocks, the drawing of a guided question, the search's pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bot.catalogue import Guide, GuideNode, Knowledge, Option
from bot.channels.web.drawing import WIDTH, draw, wrapped
from bot.channels.web.prose import Block, blocks, hotlines_in, with_calls
from bot.channels.web.search import pieces

HOTLINES = ("12333", "12345", "120", "110", "122", "119")


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("打12333问", ["12333"]),
        ("先打120、110，撞车打122。", ["120", "110", "122"]),
        ("120（急救）", ["120"]),
        ("12345热线", ["12345"]),
        ("罚120元", []),
        ("120天内", []),
        ("120 元", []),
        ("120-150元", []),
        ("每月120至150", []),
        ("1200", []),
        ("0766-120", []),
        ("第120条", []),
        ("1.120", []),
        ("120.5", []),
        ("A120", []),
        ("110kg", []),
        ("电话12333120", []),
        ("打120.", ["120"]),
    ],
)
def test_hotlines_become_links_and_amounts_do_not(text: str, linked: list[str]) -> None:
    html = with_calls(text, HOTLINES)
    assert [part.split('"')[0] for part in html.split('href="tel:')[1:]] == linked
    assert hotlines_in(text, HOTLINES) == linked


def test_text_is_escaped_before_links_are_put_in() -> None:
    assert with_calls("<b>'12333\"&</b>", HOTLINES) == ('&lt;b&gt;&#39;<a href="tel:12333">12333</a>&#34;&amp;&lt;/b&gt;')
    assert with_calls("打12333", ()) == "打12333"


def test_a_body_is_laid_out() -> None:
    body = "先说答案。\n1. 一\n2. 二\n还有：这个。\n\n去哪办：窗口\n责任科室：甲、乙\n结尾"
    assert blocks(body) == [
        Block("paragraph", (("", "先说答案。"),)),
        Block("steps", (("", "一"), ("", "二"))),
        Block("paragraph", (("", "还有：这个。"),)),
        Block("facts", (("去哪办", "窗口"), ("责任科室", "甲、乙"))),
        Block("paragraph", (("", "结尾"),)),
    ]
    assert blocks("") == []


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("一二三四", 30, ("一二", "三四")),
        ("一二，三", 30, ("一二，", "三")),
        ("abc", 30, ("abc",)),
        ("", 30, ("",)),
        ("宽", 1, ("宽",)),
    ],
)
def test_lines_are_broken_by_width(text: str, width: int, lines: tuple[str, ...]) -> None:
    assert wrapped(text, width) == lines


def test_a_tree_is_drawn_whole() -> None:
    last = GuideNode("b", "第二问？", (Option("不清楚", (), None, "gone", "why"),))
    first = GuideNode("a", "第一问？", (Option("甲", (), "b", None, ""), Option("不清楚", (), None, "gone", "why")))
    drawing = draw(Guide("g", "题", (), "a", {"a": first, "b": last}), {})
    shown = [(box.role, "".join(box.lines), box.depth, box.parent) for box in drawing.boxes]
    assert shown == [
        ("ask", "第一问？", 0, None),
        ("choice", "甲", 1, 0),
        ("ask", "第二问？", 2, 1),
        ("choice", "不清楚", 3, 2),
        ("end", "不清楚", 4, 3),
        ("choice", "不清楚", 1, 0),
        ("end", "不清楚", 2, 5),
    ]
    assert len(drawing.links) == len(drawing.boxes) - 1


def test_every_real_guide_fits_its_drawing(knowledge: Knowledge) -> None:
    assert knowledge.guides
    for guide in knowledge.guides.values():
        boxes = draw(guide, knowledge.entries).boxes
        assert all(0 < box.left < WIDTH / 2 and "" not in box.lines for box in boxes)
        assert all(upper.top + upper.height < lower.top for upper, lower in pairwise(boxes))
        assert {box.depth for box in boxes if box.role == "ask"} <= {0, 2, 4}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("押金", {"押金"}), ("退押金", {"退押", "押金"}), ("退 押", {"退", "押"}), ("？！", set()), ("App", {"ap", "pp"})],
)
def test_search_pieces(text: str, expected: set[str]) -> None:
    assert pieces(text) == expected
