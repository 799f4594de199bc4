"""The pages to read, share and print: an entry, topics, offices, guided questions, search, about; and for crawlers."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bot.catalogue import Entry, Knowledge, Measure, Office, Service
from bot.channels import Desk
from bot.channels.web.drawing import draw, qr_code
from bot.channels.web.safety import Limit
from bot.channels.web.search import search
from bot.channels.web.site import base_address, today
from bot.config import Config

MOST_TYPED = 100
"""How many characters of a search are read."""


class Pages:
    """The views of everything but the chat; only 关于, which has a form, sets a cookie."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self.desk = desk
        self.config = config

    def add_to(self, site: Blueprint, limit: Limit) -> None:
        """Add the pages' addresses."""
        site.add_url_rule("/a/<entry_id>", "entry", self.entry)
        site.add_url_rule("/topics", "topics", self.topics)
        site.add_url_rule("/topics/<int:number>", "measure", self.measure)
        site.add_url_rule("/offices", "offices", self.offices)
        site.add_url_rule("/guide/<guide_id>", "guide", self.guide)
        site.add_url_rule("/search", "search", limit(self.search))
        site.add_url_rule("/about", "about", self.about)
        site.add_url_rule("/sitemap.xml", "sitemap", self.sitemap)
        site.add_url_rule("/robots.txt", "robots", self.robots)

    def entry(self, entry_id: str) -> str | BaseResponse:
        """Show a whole entry; a former id leads to the present one."""
        knowledge = self.desk.knowledge
        entry = knowledge.entries.get(entry_id)
        if entry is None:
            if entry_id not in knowledge.moved:
                abort(404)
            return redirect(url_for("web.entry", entry_id=knowledge.moved[entry_id]), 301)
        address = f"{base_address(self.config)}/a/{entry.id}"
        return render_template(
            "web/entry.html",
            entry=entry,
            expired=expired(entry, today()),
            measures=[knowledge.measures[number] for number in entry.measures],
            offices=[office for office in knowledge.offices.values() if office.name in entry.offices],
            bureaus=reachable_bureaus(knowledge),
            related=related(knowledge, entry),
            address=address,
            qr=qr_code(address),
        )

    def topics(self) -> str:
        """Show what the bot can answer, by the plan's seven actions."""
        knowledge = self.desk.knowledge
        return render_template(
            "web/topics.html",
            actions=by_action(knowledge),
            guides=knowledge.guides.values(),
            total=len(knowledge.entries),
        )

    def measure(self, number: int) -> str:
        """Show a measure and every question under it, service by service."""
        knowledge = self.desk.knowledge
        measure = knowledge.measures.get(number) or abort(404)
        return render_template("web/measure.html", measure=measure, services=by_service(knowledge, number))

    def offices(self) -> str:
        """Show who does what: departments, county bureaus, hotlines, other people's business."""
        knowledge = self.desk.knowledge
        everyone = knowledge.offices.values()
        return render_template(
            "web/offices.html",
            city=[(office, duties(knowledge, office)) for office in everyone if office.level == "市"],
            bureaus=[office for office in everyone if office.level == "县"],
            hotlines=knowledge.hotlines.values(),
            neighbours=knowledge.neighbours.values(),
        )

    def guide(self, guide_id: str) -> str:
        """Show a guided question as a picture and as a list."""
        guide = self.desk.knowledge.guides.get(guide_id) or abort(404)
        entries = self.desk.knowledge.entries
        return render_template("web/guide.html", guide=guide, entries=entries, drawing=draw(guide, entries))

    def search(self) -> str:
        """Show the entries that have what was typed; without anything typed, the form."""
        typed = request.args.get("q", "").strip()[:MOST_TYPED]
        found = search(self.desk.knowledge.entries.values(), typed)
        return render_template("web/search.html", typed=typed, found=found)

    def about(self) -> str:
        """Show what this is and is not, and what is kept for how long."""
        return render_template("web/about.html", days=self.config.retention_days, version=self.desk.knowledge.version)

    def sitemap(self) -> Response:
        """List every page for search engines, with the day its content was checked."""
        knowledge = self.desk.knowledge
        plain = ["/", "/topics", "/offices", "/about", *(f"/topics/{number}" for number in knowledge.measures)]
        paths = [(path, None) for path in (*plain, *(f"/guide/{guide}" for guide in knowledge.guides))]
        dated = [(f"/a/{entry.id}", entry.checked) for entry in knowledge.entries.values()]
        text = render_template("web/sitemap.xml", base=base_address(self.config), paths=[*paths, *dated])
        return Response(text, mimetype="application/xml")

    def robots(self) -> Response:
        """Tell crawlers what not to follow."""
        rules = ("User-agent: *", "Disallow: /search", "Disallow: /size/", "Disallow: /api/ask")
        lines = (*rules, f"Sitemap: {base_address(self.config)}/sitemap.xml", "")
        return Response("\n".join(lines), mimetype="text/plain")


def expired(entry: Entry, day: date) -> bool:
    """Return whether an entry's last good day is past."""
    return entry.valid_until is not None and entry.valid_until < day


def related(knowledge: Knowledge, entry: Entry) -> list[Entry]:
    """Return the other entries of the same service, in the order staff gave them."""
    return [knowledge.entries[other] for other in knowledge.services[entry.service].entries if other != entry.id]


def reachable_bureaus(knowledge: Knowledge) -> list[Office]:
    """Return the county bureaus whose telephone or address staff have filled in."""
    bureaus = [office for office in knowledge.offices.values() if office.level == "县"]
    return [office for office in bureaus if office.phone or office.address]


def duties(knowledge: Knowledge, office: Office) -> list[Measure]:
    """Return the measures that the plan makes an office responsible for."""
    return [measure for measure in knowledge.measures.values() if office.name in measure.offices]


def by_action(knowledge: Knowledge) -> dict[str, list[tuple[Measure, int, date | None]]]:
    """Return the plan's actions in order, each with its measures, their number of entries, the last day checked."""
    actions: dict[str, list[tuple[Measure, int, date | None]]] = {}
    for measure in knowledge.measures.values():
        checked = [entry.checked for entry in knowledge.entries.values() if measure.number in entry.measures]
        actions.setdefault(measure.action, []).append((measure, len(checked), max(checked, default=None)))
    return actions


def by_service(knowledge: Knowledge, number: int) -> list[tuple[Service, list[Entry]]]:
    """Return the services that have entries under a measure, with these entries."""
    found = [
        (service, [e for e in map(knowledge.entries.__getitem__, service.entries) if number in e.measures])
        for service in knowledge.services.values()
    ]
    return [(service, entries) for service, entries in found if entries]
