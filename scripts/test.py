"""Sets up everything on a fresh machine and runs the tests; arguments go to pytest."""

from __future__ import annotations

import _venv

_venv.ensure()

import subprocess
import sys


def main() -> int:
    """Run pytest in parallel on all cores; return its exit code."""
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile", *sys.argv[1:]]
    return subprocess.run(command, cwd=_venv.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
