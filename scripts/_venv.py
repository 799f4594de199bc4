"""Makes the project's own virtual environment and runs the calling script in it: standard library only, no side effects
when everything is there already."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
OWN = "BOT_OWN_ENVIRONMENT"
"""Set by those who bring an environment of their own (another Python for the bench, a container): nothing is made then."""

STAMP = FOLDER / "lock.sha256"


def python() -> Path:
    """Return the environment's interpreter."""
    return FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure() -> None:
    """Make the environment if the lock file has changed since it was made; then go on inside it, in this process.

    Exits with a sentence when Python is too old or the packages cannot be had.
    """
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(f"需要 Python 3.11 到 3.13，现在是 {sys.version.split()[0]}")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    if os.environ.get(OWN):
        return
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not STAMP.exists() or STAMP.read_text(encoding="ascii") != wanted:
        _make(wanted)
    if Path(sys.prefix).resolve() != FOLDER.resolve():
        os.execv(python(), [str(python()), *sys.argv])  # noqa: S606 - our own interpreter, no shell


def _make(wanted: str) -> None:
    print("第一次运行：正在建立虚拟环境、安装锁定的依赖，要一两分钟……", file=sys.stderr)
    if Path(sys.prefix).resolve() != FOLDER.resolve():
        venv.create(FOLDER, with_pip=True, clear=FOLDER.exists())
    install = [str(python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run([*install, "-r", str(LOCK)], check=False)
    if done.returncode:
        sys.exit("依赖没有装上：检查能不能连到 Python 包的镜像，再运行一次")
    STAMP.write_text(wanted, encoding="ascii")
