"""Drives the bot with many requests and watches the memory of its workers: after warm-up it must not grow."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench_http import AES_KEY, APP_ID, TOKEN, asking, wechatting
from driving import drive, free_port, serving, workers_shares

from bot.config import read_config
from bot.knowledge import load

CONNECTIONS = 8
WARM = 0.25
"""The first part of the requests, in which caches fill; what comes after is compared."""

PAGES = ("/", "/topics", "/offices", "/about", "/a/unpaid-wages-how", "/search?q=%E6%8A%BC%E9%87%91", "/api/entries", "/health")
WIDTH, HEIGHT, MARGIN = 720, 240, 40


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of the workers, in MB each, after so many requests: all that they see, and their share of it."""

    requests: int
    rss: tuple[float, ...]
    pss: tuple[float, ...]

    @property
    def total(self) -> float:
        """What all workers see together."""
        return sum(self.rss)


def main() -> int:
    """Drive, print the table, draw the plot; return 1 when memory grew or a request failed."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        samples, bad, seconds = soak(Path(folder), options.requests, options.samples, options.workers)
    for sample in samples:
        each = "  ".join(f"{rss:6.1f}（{pss:6.1f}）" for rss, pss in zip(sample.rss, sample.pss, strict=True))
        print(f"{sample.requests:8d}  {each}")
    grown = growth(samples) / options.workers
    print(f"{options.requests} 条，{seconds:.0f} 秒，{bad} 条出错；预热以后每个进程涨了 {grown:+.1f} MB")
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    options.plot.write_text(drawing(samples), encoding="utf-8")
    print(f"图在 {options.plot}", file=sys.stderr)
    return 1 if bad or grown > options.limit else 0


def soak(folder: Path, requests: int, samples: int, workers: int) -> tuple[list[Sample], int, float]:
    """Return what was seen before and after each part of the requests, how many failed, and how long it took."""
    port, step = free_port(), requests // samples
    account = {"WECHAT_TOKEN": TOKEN, "WECHAT_APP_ID": APP_ID, "WECHAT_AES_KEY": AES_KEY}
    own = {"DATA_DIR": str(folder), "RATE_LIMIT": "1000000000 per minute", "WORKERS": str(workers), "PORT": str(port)}
    mixed, bad, started = _mixed(), 0, time.perf_counter()
    with serving([sys.executable, str(_venv.ROOT / "scripts" / "run.py")], port, **account, **own) as server:
        seen = [Sample(0, *workers_shares(server))]
        for part in range(1, samples + 1):
            bad += drive(port, mixed, CONNECTIONS, count=step).bad
            seen.append(Sample(part * step, *workers_shares(server)))
            print(f"{part * step} / {requests}", file=sys.stderr)
    return seen, bad, time.perf_counter() - started


def growth(samples: Sequence[Sample]) -> float:
    """Return by how many MB the memory of all workers grew after warm-up: the line that fits best, from there to the end."""
    warm = [sample for sample in samples if sample.requests >= WARM * samples[-1].requests]
    middle = sum(sample.requests for sample in warm) / len(warm)
    spread = sum((sample.requests - middle) ** 2 for sample in warm)
    slope = sum((sample.requests - middle) * sample.total for sample in warm) / spread
    return slope * (warm[-1].requests - warm[0].requests)


def drawing(samples: Sequence[Sample]) -> str:
    """Return a line for each worker as SVG; memory from 0 up."""
    top = max(max(sample.rss) for sample in samples) * 1.1
    last = samples[-1].requests

    def place(requests: int, megabytes: float) -> str:
        x = MARGIN + (WIDTH - 2 * MARGIN) * requests / last
        return f"{x:.1f},{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * megabytes / top:.1f}"

    lines = []
    for kind, colour in (("rss", "#1f5fa8"), ("pss", "#b3541e")):
        for worker in range(len(samples[0].rss)):
            points = " ".join(place(sample.requests, getattr(sample, kind)[worker]) for sample in samples)
            lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
    end = samples[-1]
    words = [
        (MARGIN, 20, "每个进程的内存，MB：蓝 RSS（和别的进程共用的也算），棕 PSS（共用的按份算）"),
        (MARGIN, HEIGHT - 12, "0"),
        (WIDTH - 2 * MARGIN, HEIGHT - 12, f"{last} 条"),
        (4, HEIGHT - MARGIN, "0"),
        (4, MARGIN + 4, f"{top:.0f}"),
        (WIDTH - MARGIN + 2, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * max(end.rss) / top, f"{max(end.rss):.0f}"),
        (WIDTH - MARGIN + 2, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * max(end.pss) / top, f"{max(end.pss):.0f}"),
    ]
    said = [f'<text x="{x:.0f}" y="{y:.0f}" font-size="12" font-family="sans-serif">{text}</text>' for x, y, text in words]
    frame = f'<path d="M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" fill="none" stroke="#666"/>'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    inside = "\n".join([ground, frame, *lines, *said])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">\n{inside}\n</svg>\n'


def _mixed() -> Iterator[bytes]:
    """Yield what people send: questions of ever new people, messages of WeChat, pages."""
    entries = load(read_config().knowledge_dir, datetime.now(UTC).date()).entries.values()
    texts = [text for entry in entries for text in entry.phrasings]
    asked, written, pages = asking(texts), wechatting(texts), itertools.cycle(PAGES)
    while True:
        yield next(asked)
        yield next(asked)
        yield next(written)
        yield f"GET {next(pages)} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="送很多条请求，看内存涨不涨")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--samples", type=int, default=40, help="量多少次")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--limit", type=float, default=5.0, help="预热以后每个进程最多涨多少 MB")
    parser.add_argument("--plot", type=Path, default=_venv.ROOT / "data" / "soak.svg")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
