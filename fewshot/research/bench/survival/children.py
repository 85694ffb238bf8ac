"""Work in a child process, whose limits, rights and clock can be changed without harm to anybody else."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fewshot.errors import FewshotError

PATIENCE = 300.0
"""Seconds within which a child must end; then it is killed."""

Work = Callable[[], str]


def in_child(work: Work) -> str:
    """What a function returns in a child of this process; the text of an error begins with ``error:``.

    Args:
        work: must not use what was opened before, such as connections.
    """
    return wait_for(begin_child(work))


def begin_child(work: Work) -> tuple[int, int]:
    """Begin a child. Returns its number and the pipe that it answers through."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        os.close(read)
        try:
            said = work()
        except FewshotError as error:
            said = f"error: {error.text}"
        except BaseException:
            said = f"crash: {traceback.format_exc()[-2000:]}"
        with suppress(OSError):
            os.write(write, json.dumps(said).encode()[:60_000])
    finally:
        sys.stderr.flush()
        os._exit(0)


def wait_for(begun: tuple[int, int]) -> str:
    """The answer of a child. ``crash:`` if there is none, or if it does not end in time."""
    child, read = begun
    os.set_blocking(read, False)
    content, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            got = os.read(read, 65536)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        if not got:
            break
        content += got
    else:
        os.kill(child, signal.SIGKILL)
    os.close(read)
    os.waitpid(child, 0)
    return str(json.loads(content)) if content else "crash: it gave no answer"


def limit_files(size: int) -> None:
    """From now on no file of this process grows beyond so many bytes, as on a full disk."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def lift_limit() -> None:
    """Let files grow again."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def write_protect(folder: Path) -> None:
    """Take the right to write in a folder from this process; root gives up its rights for that."""
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
