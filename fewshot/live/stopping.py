"""Signals that end a run: all of them close the outputs and end as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_received: list[int] = []


def exit_code() -> int:
    """128 + number of the first signal that came, as shells count: 130 for Ctrl-C, which is also the default."""
    return 128 + (_received[0] if _received else int(signal.SIGINT))


@contextmanager
def signals_stop() -> Iterator[None]:
    """Inside the ``with`` block the first signal raises KeyboardInterrupt, wherever the main thread is.

    The outputs are closed after it, so the second signal does not interrupt that: it only says how to end at once. The
    third one ends the process without waiting. A signal that the process was started to ignore (``nohup``) stays
    ignored. In another thread than the main one nothing changes, because Python allows handlers only there.
    """
    _received.clear()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    if number == getattr(signal, "SIGHUP", None):
        _let_go_of_terminal()
    if len(_received) == 1:
        raise KeyboardInterrupt
    if len(_received) == 2:
        # Not print: a signal may come while another print is being written, and that cannot be entered twice.
        with suppress(OSError):
            os.write(2, b"The outputs are being closed. To end at once, press Ctrl-C once more.\n")
        return
    os._exit(exit_code())


def _let_go_of_terminal() -> None:
    """The terminal was closed: writing to it fails, and that must not keep the outputs from being finished."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            if os.isatty(stream.fileno()):
                os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
