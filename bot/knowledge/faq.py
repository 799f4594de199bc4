"""Reads ``knowledge/faq``: one file a service, one ``##`` an entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches

from bot.catalogue import Answer, Basis, Entry, Measure, Office, Service, Source
from bot.knowledge.lists import split_names
from bot.knowledge.markdown import Item, Section
from bot.knowledge.problems import Report

ASPECTS = ("是什么", "怎么办", "条件", "材料", "地点", "多久", "费用", "金额", "网上", "电话", "被拒", "区别", "变化")
FIELDS = ("措施", "方面", "责任科室", "去哪办", "依据", "核对日期", "有效期至", "曾用编号")
PARTS = ("问法", "短答", "步骤", "材料", "证据", "说明", "变化", "测试")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
BASIS = re.compile(r"^(\S+?)(?:\s+(第.+))?$")
LEAST_PHRASINGS = 10
"""Fewer ways of asking than this and people are not understood; told as a notice, not an error."""


class FaqReader:
    """Reads service files one by one and notes what is wrong; ids are checked across all of them."""

    def __init__(
        self,
        report: Report,
        measures: Mapping[int, Measure],
        offices: Mapping[str, Office],
        sources: Mapping[str, Source],
    ) -> None:
        self.report = report
        self.measures = measures
        self.offices = {office.name: office for office in offices.values()}
        self.sources = sources
        self.services: dict[str, Service] = {}
        self.entries: dict[str, Entry] = {}
        self.moved: dict[str, str] = {}

    def read(self, path: str, sections: tuple[Section, ...]) -> None:
        """Read one file: a ``#`` heading for the service and a ``##`` heading an entry."""
        if len(sections) != 1 or sections[0].level != 1:
            self.report.error(path, 1, "文件要以一个 # 标题开头（服务名和 {#编号}），并且只有一个")
            return
        head = sections[0]
        service_id = self._id(path, head, self.services)
        fields = head.fields()
        default_measures = self._measures(path, fields.get("措施", Item("", head.line)))
        entries = [
            entry
            for section in head.children
            if (entry := self._entry(path, section, service_id, default_measures)) is not None
        ]
        if not entries:
            self.report.error(path, head.line, "这个文件里一条问答（## 标题）都没有：加一条，或删掉文件")
            return
        nicknames = split_names(fields["叫法"].text) if "叫法" in fields else ()
        self.services[service_id] = Service(service_id, head.title, nicknames, tuple(entry.id for entry in entries))

    def _id(self, path: str, section: Section, taken: Mapping[str, object]) -> str:
        if section.id is None or not ID.fullmatch(section.id):
            self.report.error(path, section.line, f"「{section.title}」缺编号：在标题后面加 {{#小写英文-短横线}}")
            return f"line-{section.line}"
        if section.id in taken:
            self.report.error(path, section.line, f"编号 {section.id} 已经用过：换一个没用过的")
        return section.id

    def _measures(self, path: str, item: Item) -> tuple[int, ...]:
        numbers = []
        for word in split_names(item.text):
            if word.isdigit() and int(word) in self.measures:
                numbers.append(int(word))
            else:
                self.report.error(path, item.line, f"没有措施「{word}」：写 1 到 22 的数字，用 、 隔开")
        return tuple(numbers)

    def _entry(self, path: str, section: Section, service: str, inherited: tuple[int, ...]) -> Entry | None:
        fields = section.fields()
        entry_id = self._id(path, section, self.entries)
        self._unknown_names(path, section, fields)
        for former in split_names(fields["曾用编号"].text) if "曾用编号" in fields else ():
            self.moved[former] = entry_id
        measures = self._measures(path, fields["措施"]) if "措施" in fields else inherited
        if not measures:
            self.report.error(path, section.line, f"「{section.title}」没写措施：在这里或文件开头加一行 - 措施：6")
        short = self._texts(section, "短答")
        if not short:
            self.report.error(path, section.line, f"「{section.title}」没有答案：加一段 ### 短答")
        phrasings = self._texts(section, "问法")
        if not phrasings:
            self.report.error(path, section.line, f"「{section.title}」没有问法：加一段 ### 问法，每行一条")
        elif len(phrasings) < LEAST_PHRASINGS:
            self.report.notice(
                path, section.line, f"「{section.title}」只有{len(phrasings)}条问法：补到{LEAST_PHRASINGS}条以上"
            )
        entry = Entry(
            id=entry_id,
            service=service,
            question=section.title,
            phrasings=phrasings,
            tests=self._texts(section, "测试"),
            aspects=self._aspects(path, section, fields),
            measures=measures,
            offices=self._offices(path, section, fields, measures),
            door=self._required(path, section, fields, "去哪办", "真正受理的地方"),
            basis=self._basis(path, section, fields),
            checked=self._date(path, fields.get("核对日期"), section) or date.min,
            valid_until=self._date(path, fields["有效期至"], section) if "有效期至" in fields else None,
            answer=Answer(
                short="".join(short),
                steps=self._texts(section, "步骤"),
                papers=self._texts(section, "材料"),
                evidence=self._texts(section, "证据"),
                notes=self._texts(section, "说明"),
                changes=self._texts(section, "变化"),
            ),
            path=path,
            line=section.line,
        )
        self.entries[entry_id] = entry
        return entry

    def _unknown_names(self, path: str, section: Section, fields: Mapping[str, Item]) -> None:
        for name, item in fields.items():
            if name not in FIELDS:
                self.report.error(path, item.line, f"不认识的项「{name}」{_hint(name, FIELDS)}")
        for child in section.children:
            if child.title not in PARTS:
                self.report.error(path, child.line, f"不认识的段「{child.title}」{_hint(child.title, PARTS)}")

    def _required(self, path: str, section: Section, fields: Mapping[str, Item], name: str, what: str) -> str:
        item = fields.get(name)
        if item is None or not item.text:
            self.report.error(path, section.line, f"「{section.title}」没写{name}：加一行 - {name}：{what}")
            return ""
        return item.text

    def _aspects(self, path: str, section: Section, fields: Mapping[str, Item]) -> tuple[str, ...]:
        text = self._required(path, section, fields, "方面", "怎么办")
        for word in split_names(text):
            if word not in ASPECTS:
                self.report.error(path, fields["方面"].line, f"不认识的方面「{word}」{_hint(word, ASPECTS)}")
        return split_names(text)

    def _offices(self, path: str, section: Section, fields: Mapping[str, Item], measures: tuple[int, ...]) -> tuple[str, ...]:
        text = self._required(path, section, fields, "责任科室", "照 measures.md 写")
        allowed = [name for number in measures for name in self.measures[number].offices]
        for name in split_names(text):
            if name not in self.offices:
                self.report.error(path, fields["责任科室"].line, f"offices.md 里没有「{name}」{_hint(name, self.offices)}")
            elif name not in allowed:
                line = fields["责任科室"].line
                self.report.error(path, line, f"「{name}」不是措施{'、'.join(map(str, measures))}的责任科室：见 measures.md")
        return split_names(text)

    def _basis(self, path: str, section: Section, fields: Mapping[str, Item]) -> tuple[Basis, ...]:
        text = self._required(path, section, fields, "依据", "139号文 第6条")
        found = []
        for part in filter(None, (part.strip() for part in re.split("[；;]", text))):
            match = BASIS.match(part)
            source = self.sources.get(match[1]) if match else None
            if source is None or match is None:
                line = fields["依据"].line
                self.report.error(path, line, f"sources/ 里没有依据「{part}」{_hint(part.split()[0], self.sources)}")
            else:
                found.append(Basis(source, match[2] or ""))
        return tuple(found)

    def _date(self, path: str, item: Item | None, section: Section) -> date | None:
        if item is None:
            self.report.error(path, section.line, f"「{section.title}」没写核对日期：加一行 - 核对日期：2026-11-23")
            return None
        try:
            return date.fromisoformat(item.text)
        except ValueError:
            self.report.error(path, item.line, f"日期「{item.text}」看不懂：写成 2026-11-23 这样")
            return None

    @staticmethod
    def _texts(section: Section, title: str) -> tuple[str, ...]:
        child = section.child(title)
        return tuple(item.text for item in child.texts()) if child else ()


def _hint(word: str, allowed: Mapping[str, object] | tuple[str, ...]) -> str:
    near = get_close_matches(word, list(allowed), n=1, cutoff=0.4)
    if near:
        return f"：是不是「{near[0]}」？"
    return f"：可以写 {'、'.join(list(allowed)[:14])}" if allowed else ""
