"""The pages to read: what stands on them, that their links answer, how much they weigh."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from web_site import SiteMaker

from bot.catalogue import Knowledge

pytest_plugins = ["web_fixtures"]

LINK = re.compile(r'(?:href|src)="([^"]+)"')
LOADED = re.compile(r'<(?:link|script|img|iframe|source)\b[^>]*(?:href|src)="([^"]+)"')
MOST_BYTES = 15_000
ENTRY = "injury-claim-how"


def crawl(client: FlaskClient) -> dict[str, tuple[int, str, str]]:
    """Return status, type and text of everything that can be reached by links from the chat page."""
    seen: dict[str, tuple[int, str, str]] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        response = client.get(path)
        status, kind, text = seen[path] = (response.status_code, response.mimetype or "", response.text)
        response.close()  # a static file stays open until then
        if kind == "text/html" and status == 200:
            links = (link.replace("&amp;", "&").split("#")[0] for link in LINK.findall(text))
            waiting += [link for link in links if link.startswith("/") and not link.startswith("/size/")]
    return seen


def test_every_page_is_reached_by_links_answers_is_light_and_loads_nothing_foreign(
    visitor: FlaskClient, knowledge: Knowledge
) -> None:
    seen = crawl(visitor)
    pages = {path: text for path, (_, kind, text) in seen.items() if kind == "text/html"}
    packed = {path: len(gzip.compress(text.encode())) for path, (_, _, text) in seen.items()}
    heaviest = max(pages, key=lambda path: packed[path])
    shared = sum(size for path, size in packed.items() if path.startswith("/web/"))

    assert {path for path, (status, _, _) in seen.items() if status != 200} == set()
    assert {f"/a/{entry}" for entry in knowledge.entries} <= set(seen)
    assert {f"/guide/{guide}" for guide in knowledge.guides} <= set(seen)
    assert packed[heaviest] + shared <= MOST_BYTES, f"{heaviest}: {packed[heaviest]} + {shared}"
    for path, text in pages.items():
        assert [link for link in LOADED.findall(text) if not link.startswith(("/", "http://localhost/"))] == [], path
        assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text) is None, path


def test_an_entry_page_has_the_whole_entry(make_site: SiteMaker, knowledge: Knowledge) -> None:
    client = make_site(public_url="https://bot.example/").test_client()
    entry = max(knowledge.entries.values(), key=lambda e: len(e.answer.papers) * len(e.answer.steps))
    page = client.get(f"/a/{entry.id}").text
    plain = re.sub(r"<[^>]+>", "", page)

    for text in (entry.question, entry.answer.short, entry.door, *entry.answer.steps, *entry.answer.papers):
        assert text in plain
    for name in (*entry.offices, *(basis.source.title for basis in entry.basis), str(entry.checked)):
        assert name in plain
    assert page.count('type="checkbox"') == len(entry.answer.papers) + len(entry.answer.evidence)
    assert f'<meta property="og:title" content="{entry.question}">' in page
    assert f'<meta property="og:description" content="{entry.answer.short}">' in page
    assert f'<link rel="canonical" href="https://bot.example/a/{entry.id}">' in page
    assert '<svg viewBox="0 0 ' in page
    assert "Set-Cookie" not in client.get(f"/a/{entry.id}").headers


def test_a_former_id_leads_to_the_present_one(make_site: SiteMaker, knowledge: Knowledge) -> None:
    client = make_site(replace(knowledge, moved={"old-name": ENTRY})).test_client()
    response = client.get("/a/old-name")
    assert (response.status_code, response.location) == (301, f"/a/{ENTRY}")


@pytest.mark.parametrize(("day", "told"), [(date(2020, 1, 1), True), (date(2999, 1, 1), False), (None, False)])
def test_an_expired_entry_says_so(make_site: SiteMaker, knowledge: Knowledge, day: date | None, told: bool) -> None:
    entry = replace(knowledge.entries[ENTRY], valid_until=day)
    client = make_site(replace(knowledge, entries={**knowledge.entries, ENTRY: entry})).test_client()
    assert ("之后可能有变，请先打" in client.get(f"/a/{ENTRY}").text) is told


def test_contacts_show_once_staff_have_filled_them_in(make_site: SiteMaker, knowledge: Knowledge) -> None:
    empty = {name: replace(o, phone="", address="", hours="") for name, o in knowledge.offices.items()}
    filled = {**empty, "luoding": replace(empty["luoding"], phone="0766-0000000", hours="周一至周五")}
    before = make_site(replace(knowledge, offices=empty)).test_client()
    after = make_site(replace(knowledge, offices=filled)).test_client()
    for path in (f"/a/{ENTRY}", "/offices"):
        assert "电话：" not in before.get(path).text
        assert '<a href="tel:0766-0000000">0766-0000000</a>' in after.get(path).text
    assert "罗定市" not in before.get(f"/a/{ENTRY}").text


@pytest.mark.parametrize("path", ["/a/nothing", "/a/", "/topics/99", "/guide/nothing", "/topics/x", "/nothing"])
def test_what_is_not_there_gets_a_kind_page(visitor: FlaskClient, path: str) -> None:
    response = visitor.get(path)
    assert (response.status_code, "没有这一页" in response.text, "12345" in response.text) == (404, True, True)


@pytest.mark.parametrize(
    ("typed", "there"),
    [
        ("押金", "押金"),
        ("失业登记 材料", "失业登记"),
        ("一键报案", "一键报案怎么报"),
        ("", "写几个字"),
        ("？？", "没有找到"),
        ("zzqq", "没有找到"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("\0\x1b", "没有找到"),
    ],
)
def test_search(visitor: FlaskClient, typed: str, there: str) -> None:
    response = visitor.get("/search", query_string={"q": typed})
    main = response.text.split("<main")[1]
    assert (response.status_code, there in main, "<script>alert" in main) == (200, True, False)
    assert main.count('href="/a/') <= 20


def test_topics_name_the_seven_actions_and_every_measure_lists_its_entries(visitor: FlaskClient, knowledge: Knowledge) -> None:
    page = visitor.get("/topics").text
    assert {measure.action for measure in knowledge.measures.values()} == set(re.findall(r"<h2>(.+?)</h2>", page)) - {
        "不知道从哪问起"
    }
    for number in knowledge.measures:
        listed = set(re.findall(r'href="/a/([^"]+)"', visitor.get(f"/topics/{number}").text))
        assert listed == {entry.id for entry in knowledge.entries.values() if number in entry.measures}


def test_sitemap_and_robots(make_site: SiteMaker, knowledge: Knowledge) -> None:
    client = make_site(public_url="https://bot.example").test_client()
    tree = ElementTree.fromstring(client.get("/sitemap.xml").text)  # noqa: S314 (our own)
    places = [node.text or "" for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert len(places) == len(set(places)) == 4 + 22 + len(knowledge.guides) + len(knowledge.entries)
    paths = [place.removeprefix("https://bot.example") for place in places]
    assert {path.removeprefix("/a/") for path in paths if path.startswith("/a/")} == set(knowledge.entries)
    assert {client.get(path).status_code for path in paths if not path.startswith("/a/")} == {200}
    assert "Sitemap: https://bot.example/sitemap.xml" in client.get("/robots.txt").text


@pytest.mark.parametrize(
    ("back", "goes"),
    [("/a/x?y=1", "/a/x?y=1"), ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://evil.example", "/")],
)
def test_large_text_is_remembered_and_leads_nowhere_else(visitor: FlaskClient, back: str, goes: str) -> None:
    assert '<html lang="zh-Hans">' in visitor.get("/offices").text
    response = visitor.get("/size/large", query_string={"back": back})
    assert (response.status_code, response.location) == (303, goes)
    assert '<html lang="zh-Hans" class="large">' in visitor.get("/offices").text
    visitor.get("/size/normal")
    assert '<html lang="zh-Hans">' in visitor.get("/offices").text


def test_the_footer_names_publisher_and_registration(make_site: SiteMaker) -> None:
    page = make_site(publisher="某局", icp_number="粤ICP备1号").test_client().get("/about").text
    assert "某局" in page
    assert "粤ICP备1号" in page
    assert "留180天" in page
