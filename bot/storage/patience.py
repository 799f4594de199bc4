"""Waits only so long for a call that may never come back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

Result = TypeVar("Result")


class Patience:
    """Runs calls on threads of its own and leaves those that take too long behind; safe to share between threads.

    The threads are daemons, unlike those of ``ThreadPoolExecutor``: a process must end even while its database hangs.
    """

    def __init__(self, seconds: float, threads: int) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._to_hire = threads
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()

    def call(self, ask: Callable[[], Result]) -> Result:
        """Return what the call returns, or raise what it raises; TimeoutError when it takes too long."""
        self._hire()
        future: Future[Result] = Future()
        self._calls.put((future, ask))
        try:
            return future.result(self._seconds)
        except Late:
            # One that no thread has begun is not to be begun any more: its caller has gone on without it.
            future.cancel()
            raise TimeoutError from None

    def _hire(self) -> None:
        """Start one thread more with each of the first calls."""
        with self._lock:
            if self._to_hire:
                self._to_hire -= 1
                Thread(target=self._work, daemon=True, name="patience").start()

    def _work(self) -> None:
        while True:
            future, ask = self._calls.get()
            if future.set_running_or_notify_cancel():
                _settle(future, ask)


def _settle(future: Future[Any], ask: Callable[[], Any]) -> None:
    try:
        future.set_result(ask())
    except BaseException as error:  # noqa: BLE001 - it is the waiting thread's to judge
        future.set_exception(error)
