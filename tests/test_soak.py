"""Memory over thousands of requests: the short run of ``scripts/soak.py``."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import soak
from machines import Machine, running


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_memory_does_not_grow(tmp_path: Path) -> None:
    """6,000 requests of all kinds; a leak of 1 kB a request would be 3 MB a worker after warm-up."""
    samples, bad, _ = soak.soak(tmp_path / "data", 6_000, 12, 2)
    grown = soak.growth(samples) / 2
    print(f"{grown:+.1f} MB, RSS {samples[-1].rss}, PSS {samples[-1].pss}")  # noqa: T201
    assert bad == 0
    assert grown < 3
    assert len(ET.fromstring(soak.drawing(samples)).findall(".//{*}polyline")) == 4  # noqa: S314 - our own drawing


def test_growth_is_that_of_the_line_after_warm_up() -> None:
    seen = [soak.Sample(1000 * n, (200.0 + min(n, 3) * 10 + n, 100.0), (0.0, 0.0)) for n in range(11)]
    assert soak.growth(seen) == pytest.approx(7.0)


def resident(machine: Machine) -> int:
    """Return how much memory the process that all workers are forked from holds (kB)."""
    status = Path(f"/proc/{machine.process.pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what a process holds")
def test_a_first_start_holds_no_more_than_a_later_one(tmp_path: Path) -> None:
    """What is worked out once and kept, how danger reads above all, leaves nothing in memory: it was a fifth more."""
    held = []
    for _ in range(2):
        with running(tmp_path / "data") as machine:
            held.append(resident(machine))
    assert held[0] < 1.1 * held[1]
