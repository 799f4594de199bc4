"""Deciding, as a table: (conversation before, message) -> (reply, conversation after)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from conftest import NOW

from bot.answer import Library
from bot.dialogue.deciding import decide
from bot.model import MAX_READ, Conversation, Message, Reply, Turn


@dataclass
class Talk:
    """A conversation without a store: what is said, and where it stands."""

    library: Library
    conversation: Conversation = field(default_factory=Conversation)
    at: datetime = NOW

    def say(self, text: str, kind: str = "text", after: timedelta = timedelta(seconds=20)) -> Reply:
        self.at += after
        message = Message("test", "u", str(self.at), text, self.at, kind)  # type: ignore[arg-type]
        turn = self.turn(message)
        self.conversation = turn.conversation
        return turn.reply

    def turn(self, message: Message) -> Turn:
        before = self.conversation
        findings = self.library.finder.find(message.text[:MAX_READ], before.recent, before.measures)
        return decide(message, before, findings, self.library.knowledge)

    def all(self, *texts: str) -> Reply:
        return [self.say(text) for text in texts][-1]


@pytest.fixture
def talk(library: Library) -> Talk:
    return Talk(library)


def service(talk: Talk, reply: Reply) -> str:
    return talk.library.knowledge.entries[reply.entry or ""].service


@pytest.mark.parametrize(
    ("opening", "follow_up", "entry"),
    [
        ("失业登记怎么办", "要带什么材料", "unemployment-registration-papers"),
        ("失业登记怎么办", "去哪里办", "unemployment-registration-where"),
        ("失业登记怎么办", "要多久", "unemployment-registration-time"),
        ("失业登记怎么办", "要钱吗", "unemployment-registration-fee"),
        ("失业登记怎么办", "网上可以吗", "unemployment-registration-online"),
        ("失业登记怎么办", "他们不给办怎么办", "unemployment-registration-refused"),
        ("怎么申请劳动仲裁", "收费吗", "arbitration-fee"),
        ("怎么申请劳动仲裁", "要准备什么材料", "arbitration-papers"),
        ("怎么申请调解", "在哪里办", "mediation-where"),
    ],
)
def test_a_follow_up_leans_on_the_service_at_hand(talk: Talk, opening: str, follow_up: str, entry: str) -> None:
    reply = talk.all(opening, follow_up)
    assert (reply.kind, reply.entry) == ("answer", entry)
    assert talk.library.knowledge.services[service(talk, reply)].name in reply.body


def test_a_question_that_names_another_service_changes_the_topic(talk: Talk) -> None:
    assert service(talk, talk.all("失业登记怎么办", "押金不退怎么要回来")) == "deposit"


def test_going_back_to_what_was_before(talk: Talk) -> None:
    reply = talk.all("失业登记怎么办", "押金不退怎么要回来", "回到刚才那个 要带什么材料")
    assert reply.entry == "unemployment-registration-papers"


@pytest.mark.parametrize("pick", ["2", "②", "二", "第二个", "第2", "选2", "第二个吧", "２"])
def test_a_list_is_answered_by_number(talk: Talk, pick: str) -> None:
    choices = talk.say("押金").choices
    assert talk.say(pick).entry == choices[1].entry


def test_a_list_is_answered_by_its_words_the_last_one_or_a_tap(talk: Talk) -> None:
    choices = talk.say("押金").choices
    open_list = talk.conversation
    assert talk.say("最后一个").entry == choices[-1].entry
    talk.conversation = open_list
    assert talk.say(choices[0].text).entry == choices[0].entry


@pytest.mark.parametrize("number", ["1", "第三个", "⑥"])
def test_a_number_with_nothing_open_gets_the_menu(talk: Talk, number: str) -> None:
    reply = talk.say(number)
    assert len(reply.choices) == 6
    assert reply.kind == "smalltalk"


def test_a_number_beyond_the_list_is_no_pick(talk: Talk) -> None:
    talk.say("押金")
    assert talk.say("9").kind != "answer"


def test_a_guided_question_names_120_asks_and_ends_at_an_entry_with_a_reason(talk: Talk) -> None:
    first = talk.say("我受伤了")
    assert (first.kind, "120" in first.body) == ("choices", True)
    second = talk.say("1")
    assert second.kind == "choices"
    last = talk.say("没有")
    assert (last.kind, last.entry) == ("answer", "injury-claim-how")
    assert "职业伤害保障" in last.body.split("\n")[0]


def test_a_county_is_remembered_and_its_bureau_named(talk: Talk) -> None:
    reply = talk.all("失业登记怎么办", "那罗定呢")
    assert reply.entry == "unemployment-registration-how"
    assert "罗定市人力资源和社会保障局" in reply.body
    assert "罗定市人力资源和社会保障局" in talk.say("要带什么材料").body


@pytest.mark.parametrize("text", ["平台不给派单怎么办", "太平洋保险", "新城控股"])
def test_ordinary_words_set_no_place(talk: Talk, text: str) -> None:
    talk.say(text)
    assert talk.conversation.place is None


@pytest.mark.parametrize(
    ("text", "office"),
    [
        ("我在平台镇送外卖", "yunan-county"),
        ("都城镇的", "yunan-county"),
        ("云安那边怎么失业登记", "yunan-district"),
        ("我在新兴县城", "xinxing"),
    ],
)
def test_towns_and_nicknames_set_a_place(talk: Talk, text: str, office: str) -> None:
    talk.say(text)
    assert talk.conversation.place == office


def test_a_town_of_several_counties_is_asked_about(talk: Talk) -> None:
    reply = talk.say("我在太平镇")
    assert {choice.text for choice in reply.choices} == {"新兴县", "罗定市"}
    talk.say("罗定市")
    assert talk.conversation.place == "luoding"


def test_a_place_outside_says_which_rules_hold(talk: Talk) -> None:
    assert "国家和广东省的规定一样适用" in talk.say("我在深圳跑，失业登记怎么办").body
    assert "请打当地12333" in talk.say("我在广西跑，拖欠工资怎么办").body


def test_a_position_sent_along_sets_the_place(talk: Talk) -> None:
    talk.say("广东省云浮市罗定市素龙街道", kind="place")
    assert talk.conversation.place == "luoding"
    assert talk.say("", kind="place").kind == "choices"


def test_not_understood_twice_shows_the_menu(talk: Talk) -> None:
    first, second = talk.say("qwxz plmk"), talk.say("zxcv bnm")
    assert (first.kind, first.choices) == ("none", ())
    assert (second.kind, len(second.choices)) == ("none", 6)
    assert "12333" in second.body
    assert "人工" in second.body


def test_the_conversation_is_forgotten_after_half_an_hour_by_the_messages_own_times(talk: Talk) -> None:
    talk.say("失业登记怎么办")
    assert talk.say("要带什么材料", after=timedelta(minutes=29)).kind == "answer"
    assert talk.say("要带什么材料", after=timedelta(minutes=31)).kind != "answer"


def test_starting_again_forgets_at_once(talk: Talk) -> None:
    talk.all("我在罗定，失业登记怎么办", "重新开始")
    assert talk.conversation.recent == ()
    assert talk.conversation.place is None


def test_more_gives_the_long_form(talk: Talk) -> None:
    short = talk.say("失业登记怎么办")
    long = talk.say("详细")
    assert long.entry == short.entry
    assert len(long.body) > len(short.body)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("你好", "smalltalk"),
        ("谢谢", "smalltalk"),
        ("人工", "smalltalk"),
        ("救命 我被车撞了动不了", "emergency"),
        ("上个月被车撞了，想申请职业伤害", "answer"),
        ("公积金怎么提取", "none"),
        ("   ", "smalltalk"),
        # Danger is heard beside small talk, and hard words alone are none.
        ("陪我聊聊，我想死", "emergency"),
        ("拜拜了，我去死了", "emergency"),
        ("唔该，我去死喇", "emergency"),
        ("心态崩了想死", "emergency"),
        ("谢谢你，再见，不想活了", "emergency"),
        ("谢谢，再见", "smalltalk"),
        ("这么多字，看不下去了", "smalltalk"),
        ("去死吧", "smalltalk"),
        ("累死了", "smalltalk"),
    ],
)
def test_kinds(talk: Talk, text: str, kind: str) -> None:
    assert talk.say(text).kind == kind


def test_a_neighbour_is_sent_to_the_right_door(talk: Talk) -> None:
    reply = talk.say("医保报销怎么办理")
    assert reply.refer is not None
    assert reply.refer.phone == "12393"


def test_only_the_first_2000_characters_are_read_and_that_is_said(talk: Talk) -> None:
    assert str(MAX_READ) in talk.say("押金不退怎么办" + "，真的" * 1000).body


@pytest.mark.parametrize("target", ["deposit-refund", "deposit", "guide-injured", "welcome", "human", "no-such-thing"])
def test_what_a_menu_names_is_opened(talk: Talk, target: str) -> None:
    reply = talk.say(target, kind="open")
    assert reply.body
    assert (reply.entry == "deposit-refund") == (target == "deposit-refund")


def test_an_entry_past_its_date_says_so(library: Library) -> None:
    entry = next(e for e in library.knowledge.entries.values() if e.valid_until)
    later = Talk(library, at=NOW.replace(year=entry.valid_until.year + 1 if entry.valid_until else 2030))
    assert "有效期" in later.say(entry.id, kind="open").body


def test_deciding_is_pure(library: Library) -> None:
    talk = Talk(library, Conversation(recent=("deposit-refund",), last_at=NOW))
    message = Message("test", "u", "1", "要多久", NOW)
    assert talk.turn(message) == talk.turn(message)
    assert talk.turn(replace(message, user="other")).reply == talk.turn(message).reply
