"""Makes the replies that ``dialogue.decide`` chooses among, each with the conversation as it stands after it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.catalogue import EmergencyRule, Entry, GuideNode, Knowledge, MenuItem, Neighbour, Office
from bot.model import Choice, Conversation, Findings, Match, Message, Refer, Reply
from bot.rendering import citations, entry_text, long_text
from bot.understanding.places import Found

MOST_CHOICES = 6
"""A list longer than this is not read on a phone."""

PER_MEASURE = 2
"""Of the first four items at most so many are of one measure: an unsure list must show different things."""

MOST_RECENT = 5
"""How many entries shown are remembered."""

ASK_WHICH = "你想问的是哪一个？回复数字就行："
NEITHER = "都不是，换个说法再问，或打12333、12345。"
UNKNOWN = (
    "这个我不知道，不敢乱说。我能答骑手、快递员、司机等的合同、扣罚、失业登记、押金、受伤、养老社保、培训、欠薪、"
    "仲裁、投诉这些事，换个说法再问一次。人社政策打12333，其他事打12345。"
)
MENU = "你可以从这里选一个，回复数字就行。急着办打12333（人社政策）、12345（投诉求助）；回复“人工”找人。"
PICK_ONE = "先说是哪件事："
ABOUT = "（接着说「{service}」）"
NO_ASPECT = "「{service}」没有单独写这一项，先看总的："
NO_PHONE = "「{service}」的办事电话还没核实登记，先打12333（人社政策）或12345（投诉求助）。"
CORRECTED = "（按「{word}」为你查找）"
GOT_PLACE = "好，记住你在{place}了。想问什么事？"
WHICH_COUNTY = "{count}个地方都有这个镇，你说的是哪个县（市、区）？"
WHERE = "没看出是哪个县（市、区），回复 云城、云安、新兴、郁南 或 罗定 就行。"
OUTSIDE = {
    True: "（你说的{place}不在云浮：国家和广东省的规定一样适用，去哪办请打当地12333。）",
    False: "（你说的{place}不在广东：国家的规定一样适用，广东和云浮的办法那边不一定有，请打当地12333。）",
}
GUIDE_HINT = "回复数字，或者直接说。"


@dataclass(frozen=True, slots=True)
class Said:
    """A reply and the conversation after it."""

    reply: Reply
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision looks at; ``conversation`` is already fresh and knows the place that this message names."""

    message: Message
    conversation: Conversation
    findings: Findings
    knowledge: Knowledge
    place: Found
    sayer: Sayer


@dataclass(frozen=True, slots=True)
class Sayer:
    """Puts replies together for one day and one county (office id, None when the person has not said)."""

    knowledge: Knowledge
    today: date
    county: str | None

    def answer(self, case: Case, match: Match) -> Said:
        """Give one entry as the answer."""
        lead = CORRECTED.format(word=case.findings.corrected) if case.findings.corrected else ""
        return self._entry(case, self.knowledge.entries[match.entry], match.score, lead)

    def within(self, case: Case, match: Match) -> Said:
        """Give an entry of the service at hand, saying which service that is."""
        entry = self.knowledge.entries[match.entry]
        return self._entry(case, entry, 0.5, ABOUT.format(service=self._service(entry)))

    def aspect(self, case: Case, service: str, aspect: str | None) -> Said:
        """Give the entry of a service that answers an aspect, or its main entry."""
        entries = [self.knowledge.entries[entry] for entry in self.knowledge.services[service].entries]
        order = [m.entry for m in case.findings.within]
        fitting = [entry for entry in entries if aspect in entry.aspects]
        fitting.sort(key=lambda entry: (entry.aspects.index(aspect or ""), order.index(entry.id) if entry.id in order else 99))
        if aspect == "电话" and not fitting:
            shown = case.conversation.recent[0] if case.conversation.recent else entries[0].id
            return self._entry(case, self.knowledge.entries[shown], 0.8, NO_PHONE.format(service=self._service(entries[0])))
        lead = ABOUT if fitting or aspect is None else NO_ASPECT
        recent = [self.knowledge.entries[e] for e in case.conversation.recent if self.knowledge.entries[e].service == service]
        default = recent[0] if recent and aspect is None else entries[0]
        return self._entry(case, fitting[0] if fitting else default, 0.8, lead.format(service=self._service(entries[0])))

    def long_form(self, case: Case) -> Said:
        """Give the long form of the entry shown last."""
        entry = self.knowledge.entries[case.conversation.recent[0]]
        said = self._entry(case, entry, 1.0, "")
        body = long_text(entry, self.knowledge, self.today, self._office())
        return Said(replace(said.reply, body=body), said.conversation)

    def chosen(self, case: Case, choice: Choice) -> Said:
        """Open what a choice leads to."""
        if choice.entry is not None:
            return self._entry(case, self.knowledge.entries[choice.entry], 1.0, choice.why)
        if choice.option is not None:
            return self._node(case, *choice.option.split("/"))
        return self.unknown(case)

    def open(self, case: Case, target: str) -> Said:
        """Open an entry, a guide, a service or a fixed talk by its id; the menu when there is no such thing."""
        target = self.knowledge.moved.get(target, target)
        if target in self.knowledge.services:
            target = self.knowledge.services[target].entries[0]
        if target in self.knowledge.entries:
            return self._entry(case, self.knowledge.entries[target], 1.0, "")
        if target in self.knowledge.guides:
            return self.guide(case, target)
        if target in self.knowledge.smalltalk:
            return self.talk(case, target)
        return self.menu(case)

    def guide(self, case: Case, guide: str) -> Said:
        """Ask a guide's first question."""
        return self._node(case, guide, self.knowledge.guides[guide].start)

    def emergency(self, case: Case, rule: EmergencyRule) -> Said:
        """Give the help lines first, then what to do; later steps are one tap away."""
        lines = "、".join(f"{number}（{self.knowledge.hotlines[number].name}）" for number in rule.lines)
        body = f"先打电话：{lines}\n{rule.first}"
        later = self.knowledge.entries.get(rule.then or "")
        choices = (Choice(later.question, later.id, later.measures),) if later is not None else ()
        if later is not None:
            body += "\n人安全了，再看后面怎么办："
        reply = Reply("emergency", body, entry=rule.then, measures=later.measures if later else (), choices=choices)
        return Said(reply, replace(case.conversation, choices=choices, misses=0))

    def talk(self, case: Case, talk: str) -> Said:
        """Answer about the bot itself; some talks do something besides."""
        said = self.knowledge.smalltalk[talk].reply
        if talk in ("restart", "forget"):
            menu = self._menu(replace(case.conversation, recent=(), place=None), said)
            return replace(menu, reply=replace(menu.reply, forget=talk == "forget"))
        if talk in ("menu", "can", "welcome", "voice", "none-of-these"):
            return self._menu(case.conversation, said)
        reply = Reply("smalltalk", said, handover=talk == "human")
        return Said(reply, replace(case.conversation, misses=0))

    def place(self, case: Case) -> Said:
        """Take note of a place: the answer at hand again, with that county; or ask which county, or what about."""
        place, knowledge = case.place, self.knowledge
        if len(place.offices) > 1:
            choices = tuple(Choice(p.name) for p in knowledge.places if p.office in place.offices)
            body = WHICH_COUNTY.format(count=len(choices))
            return Said(Reply("choices", body, choices=choices), replace(case.conversation, choices=choices))
        if not place.offices and place.outside is None:
            choices = tuple(Choice(p.name) for p in knowledge.places)
            return Said(Reply("choices", WHERE, choices=choices), replace(case.conversation, choices=choices))
        if case.conversation.choices:
            choices = case.conversation.choices
            return Said(Reply("choices", ASK_WHICH, choices=choices, score=0.5), case.conversation)
        if case.conversation.recent:
            return self._entry(case, knowledge.entries[case.conversation.recent[0]], 0.9, "")
        name = place.outside.name if place.outside else knowledge.offices[place.offices[0]].name
        return self._menu(case.conversation, GOT_PLACE.format(place=name))

    def broad(self, case: Case) -> Said:
        """Ask what a bare broad word is about: the main entries of the nearest services."""
        seen: dict[str, Match] = {}
        for match in case.findings.matches:
            seen.setdefault(self.knowledge.entries[match.entry].service, match)
        mains = [replace(m, entry=self.knowledge.services[service].entries[0]) for service, m in seen.items()]
        rest = [match for match in case.findings.matches if match.entry not in {m.entry for m in mains}]
        return self._offer(case, [*mains, *rest], ASK_WHICH)

    def offer(self, case: Case, matches: Sequence[Match]) -> Said:
        """Offer a short list; nothing to offer is nothing known."""
        return self._offer(case, self._varied(matches), ASK_WHICH) if matches else self.unknown(case)

    def refer(self, case: Case, neighbour: Neighbour) -> Said:
        """Send the person to whom it belongs."""
        refer = Refer(neighbour.whom, neighbour.phone)
        misses = 0 if neighbour.phone else case.conversation.misses + 1
        return Said(Reply("none", neighbour.sentence, refer=refer), replace(case.conversation, misses=misses, choices=()))

    def unknown(self, case: Case) -> Said:
        """Say honestly that this is not known."""
        return Said(Reply("none", UNKNOWN), replace(case.conversation, misses=case.conversation.misses + 1, choices=()))

    def menu(self, case: Case, misses: int = 0) -> Said:
        """Show the main services, as an answer to not having understood."""
        said = self._menu(replace(case.conversation, misses=misses), MENU)
        return Said(replace(said.reply, kind="none"), said.conversation) if misses else said

    def _menu(self, conversation: Conversation, body: str) -> Said:
        choices = tuple(self._choice(item) for item in self.knowledge.main_services)[:MOST_CHOICES]
        return Said(Reply("smalltalk", body, choices=choices), replace(conversation, choices=choices))

    def _choice(self, item: MenuItem) -> Choice:
        guide = self.knowledge.guides.get(item.target)
        if guide is not None:
            return Choice(item.text, measures=self._measures(guide.id, guide.start), option=f"{guide.id}/{guide.start}")
        entry = self.knowledge.entries.get(item.target)
        return Choice(item.text, entry.id, entry.measures) if entry is not None else Choice(item.text)

    def _entry(self, case: Case, entry: Entry, score: float, lead: str) -> Said:
        body = "\n".join(filter(None, (lead, entry_text(entry, self.today, self._office()), self._outside(case))))
        reply = Reply(
            kind="answer",
            body=body,
            entry=entry.id,
            measures=entry.measures,
            office=entry.offices,
            door=entry.door,
            sources=citations(entry),
            score=round(score, 3),
        )
        recent = tuple(dict.fromkeys((entry.id, *case.conversation.recent)))[:MOST_RECENT]
        return Said(reply, replace(case.conversation, recent=recent, choices=(), misses=0))

    def _outside(self, case: Case) -> str:
        outside = case.place.outside
        return OUTSIDE[outside.province].format(place=outside.name) if outside is not None else ""

    def _office(self) -> Office | None:
        return self.knowledge.offices.get(self.county or "")

    def _service(self, entry: Entry) -> str:
        return self.knowledge.services[entry.service].name

    def _varied(self, matches: Iterable[Match]) -> list[Match]:
        """Return the matches with those that would crowd out other measures moved back."""
        counts: dict[int, int] = {}
        front: list[Match] = []
        back: list[Match] = []
        for match in matches:
            measure = self.knowledge.entries[match.entry].measures[0]
            counts[measure] = counts.get(measure, 0) + 1
            (front if counts[measure] <= PER_MEASURE else back).append(match)
        return [*front, *back]

    def _offer(self, case: Case, matches: Sequence[Match], body: str) -> Said:
        entries = [self.knowledge.entries[match.entry] for match in matches[: MOST_CHOICES - 1]]
        choices = tuple(Choice(entry.question, entry.id, entry.measures) for entry in entries)
        lead = CORRECTED.format(word=case.findings.corrected) if case.findings.corrected else ""
        reply = Reply("choices", "\n".join(filter(None, (lead, body))), choices=choices, score=round(matches[0].score, 3))
        return Said(reply, replace(case.conversation, choices=choices, misses=0))

    def _node(self, case: Case, guide: str, node: str) -> Said:
        """Ask one guided question."""
        asked = self.knowledge.guides[guide].nodes[node]
        choices = tuple(self._options(guide, asked))
        reply = Reply("choices", asked.ask, choices=choices, score=0.5)
        return Said(reply, replace(case.conversation, choices=choices, misses=0))

    def _options(self, guide: str, node: GuideNode) -> Iterable[Choice]:
        for option in node.options:
            if option.node is not None:
                measures = self._measures(guide, option.node)
                yield Choice(option.text, measures=measures, option=f"{guide}/{option.node}", words=option.words)
            elif option.entry is not None:
                measures = self.knowledge.entries[option.entry].measures
                yield Choice(option.text, option.entry, measures, None, option.words, option.why)

    def _measures(self, guide: str, node: str) -> tuple[int, ...]:
        """Return every measure that a guided question can lead to, in order."""
        found: dict[int, None] = {}
        for option in self.knowledge.guides[guide].nodes[node].options:
            measures = (
                self._measures(guide, option.node) if option.node else self.knowledge.entries[option.entry or ""].measures
            )
            found |= dict.fromkeys(measures)
        return tuple(found)
