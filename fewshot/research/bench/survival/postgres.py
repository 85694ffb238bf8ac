"""A PostgreSQL server for one run: its own data in a temporary folder, reached through a socket in it only."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from fewshot.errors import FewshotError

PACKAGED = Path("/usr/lib/postgresql")
"""Where Debian's packages put the programs of each version."""

START = 60.0
"""Seconds within which the server must answer."""

_ROLE = "fewshot"


class Server:
    """A running server. Its databases are empty, and are gone with it.

    Attributes:
        data: the folder with its files; the write-ahead log is in ``pg_wal`` of it.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder, self._numbers = programs, folder, count(1)
        self.data, self._log = folder / "data", folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            user, group = next(filter(None, map(_user, ("postgres", "nobody"))))
            self._as = {"user": user, "group": group, "extra_groups": []}
            os.chown(folder, user, group)
        words = ["initdb", "-D", str(self.data), "-U", _ROLE, "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run(
            [str(programs / words[0]), *words[1:]], check=True, stdout=subprocess.DEVNULL, cwd=folder, **self._as
        )

    def start(self) -> None:
        """Start the server, and return when it answers.

        Raises:
            FewshotError: it does not answer.
        """
        words = [str(self._programs / "postgres"), "-D", str(self.data), "-k", str(self._folder), "-h", ""]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self._folder, **self._as)
        end = time.monotonic() + START
        while time.monotonic() < end and self._process.poll() is None:
            ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self._folder)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise FewshotError(f"PostgreSQL did not start: {self._log.read_text(errors='replace')[-500:]}")

    def stop(self, crash: bool = False) -> None:
        """Stop the server, and wait for it.

        Args:
            crash: as after a power cut: it writes nothing more, and recovers when it starts again.
        """
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            self._process.wait(START)
        self._process = None

    def fresh(self) -> str:
        """The address of a new, empty database."""
        import psycopg

        name = f"test_{next(self._numbers)}"
        with psycopg.connect(host=str(self._folder), user=_ROLE, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{_ROLE}@/{name}?host={self._folder}"


def missing() -> str:
    """Why no server can be started here; "" if one can."""
    if os.name != "posix":
        return "needs PostgreSQL of a Debian package"
    if _newest() is None and shutil.which("initdb") is None:
        return "needs PostgreSQL, which is not here. On Debian: apt-get install postgresql"
    if find_spec("psycopg") is None:
        return "needs psycopg, which is not here: pip install '.[postgres]'"
    if os.geteuid() == 0 and not any(map(_user, ("postgres", "nobody"))):
        return "needs a user who is not root, because PostgreSQL refuses to run as root"
    return ""


@contextmanager
def server() -> Iterator[Server]:
    """A server that runs during the block.

    Raises:
        FewshotError: it cannot be started; see ``missing``.
    """
    if why := missing():
        raise FewshotError(f"PostgreSQL was not started: it {why}.")
    # Not $TMPDIR, which may be long: a socket's path has 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="fewshot-pg-", dir="/tmp"))  # nosec B108: mkdtemp makes it private
    found = _newest() or Path(str(shutil.which("initdb"))).parent
    running = None
    try:
        running = Server(found, folder)
        running.start()
        yield running
    finally:
        if running is not None:
            running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _newest() -> Path | None:
    """The folder of programs of the newest version that Debian's packages installed."""
    versions = [path for path in PACKAGED.glob("*") if re.fullmatch("[0-9]+", path.name)]
    whole = [path for path in versions if (path / "bin" / "postgres").is_file() and (path / "bin" / "initdb").is_file()]
    return max(whole, key=lambda path: int(path.name)) / "bin" if whole else None


def _user(name: str) -> tuple[int, int] | None:
    """Numbers of a user and its group; None if there is no such user."""
    import pwd  # not on Windows

    try:
        return pwd.getpwnam(name)[2:4]
    except KeyError:
        return None
