"""What the tests of faults share: a road to the database that can be cut or stalled, and ways to break a SQLite file."""

from __future__ import annotations

import select
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import make_url


class Road:
    """Passes bytes on between a port of ours and a server; ``open``, ``cut`` (refuses, hangs up) or ``stalled``."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._state = "open"
        self._server = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, state: str) -> None:
        """Open the road, cut it, or let nothing through without a word."""
        self._state = state
        if state == "cut":
            for pair in self._pairs:
                _hang_up(*pair)
            self._pairs.clear()

    def close(self) -> None:
        """Tear the road down."""
        self.set("cut")
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self._state == "cut":
                    client.close()
                    continue
                pair = (client, socket.create_connection(self._target))
                self._pairs.append(pair)
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([client, server], [], [], 0.05)
                if self._state == "stalled":
                    threading.Event().wait(0.05)
                    continue
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        raise OSError
                    (server if one is client else client).sendall(data)
        _hang_up(client, server)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def by_way_of(url: str) -> tuple[str, Road]:
    """Return the address of the same database by way of a new road."""
    parts = make_url(url)
    road = Road(parts.host or "127.0.0.1", parts.port or 5432)
    return parts.set(port=road.port).render_as_string(hide_password=False), road


def counted(url: str, table: str) -> int:
    """Return how many rows a table has."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        count = connection.execute(sa.text(f"select count(*) from {table}")).scalar_one()  # noqa: S608 - our own names
    engine.dispose()
    return int(count)


def everything_in(folder: Path) -> bytes:
    """Return the bytes of all files of a folder, one after the other."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a SQLite file's write lock, as a backup tool gone wrong would."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("begin immediate")
    yield
    connection.execute("rollback")
    connection.close()
