"""Large files sent to the app by its own page: how much memory and disk the server uses meanwhile and afterwards."""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from fewshot.errors import FewshotError
from fewshot.research.bench.hostile import PATIENCE, show, tab_of
from fewshot.research.bench.served_app import ServedApp

MEGABYTE = 1 << 20
EVERY = 0.02
"""Seconds between two looks at the server's memory."""
SETTLES = 30.0
"""Seconds in which the server has to give back what it took."""
_BOUNDARY = b"----large-upload"


@dataclass(frozen=True, slots=True)
class Measured:
    """What sending the files did, in MB (2^20 bytes).

    Attributes:
        what: how they were sent.
        before, peak, after: resident memory of the server, ``after`` once they were taken out again.
        kept: how much of the temporary folders the files took while they waited.
        left: how much of it was taken at the end.
    """

    what: str
    before: float
    peak: float
    after: float
    kept: float
    left: float


class Watch:
    """Looks at the resident memory of a process while the block runs.

    Attributes:
        peak: the most that was seen, in bytes.
    """

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._ended = process, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak = process.memory_info().rss

    def _look(self) -> None:
        while not self._ended.wait(EVERY):
            self.peak = max(self.peak, self._process.memory_info().rss)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def measure(home: Path, files: int, megabytes: int, closes: bool = True) -> list[Measured]:
    """Send ``files`` files of ``megabytes`` MB one after another, and then all at once.

    Args:
        home: an empty folder for the app; its temporary files lie in it too.
        files, megabytes: see above.
        closes: close the tab with a file in its field too, and wait until the file is gone.

    Raises:
        FewshotError: the app did not take a file.
    """
    temporary = home / "tmp"
    temporary.mkdir(parents=True)
    with ServedApp(home / "home", TMPDIR=str(temporary)) as app:
        process = psutil.Process(app.process.pid)
        with tab_of(app, cookies := _cookie(app)) as socket:
            show(socket, "", "")
            upload = _Upload(app, cookies, _folder(socket), megabytes)
            upload.send("warm up", MEGABYTE)
            upload.take_out("warm up")
            found = [
                _measure("one after another", process, temporary, upload, files, _in_turn),
                _measure("all at once", process, temporary, upload, files, _at_once),
            ]
            if not closes:
                return found
            upload.send("left in its field")
        # The tab is closed: Streamlit forgets it two minutes later, because it could come back.
        found.append(_closed(process, temporary, megabytes))
        return found


def _cookie(app: ServedApp) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", app.port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/_stcore/health", headers={"Host": f"localhost:{app.port}"})
        answer = connection.getresponse()
        answer.read()
        return "; ".join(value.split(";")[0] for key, value in answer.getheaders() if key.lower() == "set-cookie")


def _folder(socket: Any) -> str:
    """Where the tab sends its files, as the page asks for it; the number of the file is cut off."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    wanted = BackMsg()
    wanted.file_urls_request.request_id = "1"
    wanted.file_urls_request.file_names.append("film.mp4")
    socket.send(wanted.SerializeToString())
    for _ in range(200):
        message = ForwardMsg()
        message.ParseFromString(socket.recv(timeout=PATIENCE))
        if message.WhichOneof("type") == "file_urls_response":
            return str(message.file_urls_response.file_urls[0].upload_url).rpartition("/")[0]
    raise FewshotError("The app did not say where to send a file.")


@dataclass(frozen=True, slots=True)
class _Upload:
    app: ServedApp
    cookie: str
    folder: str
    megabytes: int

    def send(self, number: str, size: int | None = None) -> None:
        size = self.megabytes * MEGABYTE if size is None else size
        head = (
            b"--" + _BOUNDARY + b'\r\nContent-Disposition: form-data; name="film.mp4"; filename="film.mp4"\r\n'
            b"Content-Type: video/mp4\r\n\r\n"
        )
        tail = b"\r\n--" + _BOUNDARY + b"--\r\n"

        def body() -> Iterator[bytes]:
            yield head
            for _ in range(0, size, MEGABYTE):
                yield bytes(MEGABYTE)
            yield tail

        about = {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY.decode()}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        self._ask("PUT", number, about, body())

    def take_out(self, number: str) -> None:
        self._ask("DELETE", number, {}, None)

    def _ask(self, method: str, number: str, about: dict[str, str], body: Iterator[bytes] | None) -> None:
        token = next(part for part in self.cookie.split("; ") if part.startswith("_streamlit_xsrf="))
        own = {
            "Host": f"localhost:{self.app.port}", "Origin": self.app.address, "Cookie": self.cookie,
            "X-Xsrftoken": token.partition("=")[2].strip('"'),
        }  # fmt: skip
        with closing(http.client.HTTPConnection("127.0.0.1", self.app.port, timeout=PATIENCE)) as connection:
            connection.request(method, f"{self.folder}/{quote(number)}", body, {**own, **about})
            answer = connection.getresponse()
            words = answer.read()
        if answer.status >= 400:
            raise FewshotError(f"The app did not take a file: status {answer.status}, {words[:200]!r}.")


def _in_turn(tasks: list[Callable[[], None]]) -> None:
    for task in tasks:
        task()


def _at_once(tasks: list[Callable[[], None]]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(tasks)) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()


def _measure(
    what: str, process: psutil.Process, folder: Path, upload: _Upload, files: int,
    run: Callable[[list[Callable[[], None]]], None],
) -> Measured:  # fmt: skip
    before = process.memory_info().rss
    numbers = [f"{what} {number}" for number in range(files)]
    with Watch(process) as watch:
        run([lambda number=number: upload.send(number) for number in numbers])  # type: ignore[misc]
    kept = _taken(folder)
    for number in numbers:
        upload.take_out(number)
    after = _settled(process, before)
    return Measured(what, *(value / MEGABYTE for value in (before, watch.peak, after, kept, _taken(folder))))


def _closed(process: psutil.Process, folder: Path, megabytes: int) -> Measured:
    before, kept = process.memory_info().rss, _taken(folder)
    end = time.monotonic() + 180
    while time.monotonic() < end and _taken(folder) >= megabytes * MEGABYTE:
        time.sleep(1)
    after = process.memory_info().rss
    values = (before, max(before, after), after, kept, _taken(folder))
    return Measured("tab closed with a file in its field", *(value / MEGABYTE for value in values))


def _settled(process: psutil.Process, before: int) -> int:
    end = time.monotonic() + SETTLES
    while (now := process.memory_info().rss) > before + 10 * MEGABYTE and time.monotonic() < end:
        time.sleep(0.5)
    return int(now)


def _taken(folder: Path) -> int:
    """Bytes on the disk; a file with two names counts once."""
    found: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        try:
            about = path.lstat()
        except OSError:
            continue  # just deleted
        found[about.st_dev, about.st_ino] = about.st_size if path.is_file() else 0
    return sum(found.values())


def temporary_home() -> tempfile.TemporaryDirectory[str]:
    """A folder on a disk for ``measure``: the system's temporary folder may be in memory."""
    return tempfile.TemporaryDirectory(dir="/var/tmp" if Path("/var/tmp").is_dir() else None)  # nosec B108: only looked for
