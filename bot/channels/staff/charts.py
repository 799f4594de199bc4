"""Draws a stacked bar for each day as SVG: attributes only, no style and no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 720, 180
MOST_BARS = 62
"""More days than this are drawn by the week or the month."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a bar, in the chart's units; ``series`` counts from 0; ``title`` says what it is."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing: its parts, its series by name with totals and shares (per cent), the first and last day, the highest bar."""

    bars: tuple[Bar, ...]
    series: tuple[tuple[str, int, int], ...]
    first: str
    last: str
    highest: int
    width: int = WIDTH
    height: int = HEIGHT


def stacked(days: Sequence[tuple[date, Mapping[str, int]]], names: Mapping[str, str]) -> Chart | None:
    """Return the chart of daily counts by series; None when there is nothing to draw. Series go by ``names``, then others."""
    if not days:
        return None
    totals = {name: sum(counts.get(name, 0) for _, counts in days) for name in _series(days, names)}
    columns = _columns(days)
    highest = max(sum(counts.values()) for _, counts in columns)
    step = WIDTH / len(columns)
    bars: list[Bar] = []
    for number, (label, counts) in enumerate(columns):
        bottom = float(HEIGHT)
        for series, name in enumerate(totals):
            height = HEIGHT * counts.get(name, 0) / highest
            if height:
                bottom -= height
                title = f"{label} {names.get(name, name)} {counts[name]}"
                x, y, width, tall = (round(value, 2) for value in (number * step, bottom, step * 0.8, height))
                bars.append(Bar(x, y, width, tall, series, title))
    everything = sum(totals.values())
    shown = tuple((names.get(name, name), total, round(100 * total / everything)) for name, total in totals.items())
    return Chart(tuple(bars), shown, str(days[0][0]), str(days[-1][0]), highest)


def _series(days: Sequence[tuple[date, Mapping[str, int]]], names: Mapping[str, str]) -> list[str]:
    present = {name for _, counts in days for name in counts}
    return [name for name in names if name in present] + sorted(present - names.keys())


def _columns(days: Sequence[tuple[date, Mapping[str, int]]]) -> list[tuple[str, Mapping[str, int]]]:
    """Return what one bar each is made of: a day, or several when there are many."""
    many = -(-len(days) // MOST_BARS)
    columns: list[tuple[str, Mapping[str, int]]] = []
    for start in range(0, len(days), many):
        part = days[start : start + many]
        label = str(part[0][0]) if many == 1 else f"{part[0][0]} 至 {part[-1][0]}"
        names = {name for _, counts in part for name in counts}
        columns.append((label, {name: sum(counts.get(name, 0) for _, counts in part) for name in names}))
    return columns
