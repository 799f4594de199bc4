"""Compares WSGI servers on an empty Flask view, two workers each: how the server of ``run.py`` was chosen.

gunicorn and waitress are no dependencies: install them into the environment first (``pip install gunicorn waitress``).
"""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import importlib.util
import itertools
import sys

from driving import GET, drive, free_port, serving

APP = "bench_bare:create_empty"


def main() -> None:
    """Print a line for each server that is there."""
    parser = argparse.ArgumentParser(description="比较 WSGI 服务器：空的 Flask 页面，各两个进程")
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    print("| 服务器 | 每秒请求 | p50 毫秒 | p99 毫秒 |\n|---|---|---|---|")
    for name in ("gunicorn", "granian", "waitress"):
        if importlib.util.find_spec(name) is None:
            print(f"| {name} | 没装 | | |")
            continue
        port = free_port()
        with serving(_command(name, port), port):
            drive(port, itertools.repeat(GET), 8, count=500)
            driven = drive(port, itertools.repeat(GET), 8, seconds=options.seconds)
        print(f"| {name} | {driven.rate:.0f} | {driven.quantile(0.5):.2f} | {driven.quantile(0.99):.2f} |", flush=True)


def _command(name: str, port: int) -> list[str]:
    python = sys.executable
    if name == "gunicorn":
        more = ["--workers", "2", "--threads", "4", "--bind", f"127.0.0.1:{port}", "--keep-alive", "75"]
        return [python, "-m", "gunicorn", *more, "bench_bare:create_empty()"]
    if name == "granian":
        more = ["--workers", "2", "--blocking-threads", "4", "--port", str(port), "--interface", "wsgi"]
        return [python, "-m", "granian", *more, "--factory", "--http", "1", "--no-ws", "--log-level", "error", APP]
    # waitress has no workers: one process with the same number of threads in all.
    return [python, "-m", "waitress", "--port", str(port), "--threads", "8", "--call", APP]


if __name__ == "__main__":
    main()
