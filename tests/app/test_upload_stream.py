"""Uploads through the app as it is served: they go to the disk as they arrive, and what is refused leaves nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit import config
from streamlit.runtime import Runtime

from fewshot.app import upload_files, upload_stream
from fewshot.session.temporary import clean_up
from tests.app.whole_app import CHUNK, MEGABYTE, WholeApp, form, raw


@pytest.fixture
def app(whole_app: WholeApp) -> Iterator[WholeApp]:
    yield whole_app
    whole_app.close()
    assert whole_app.files() == []


def kept(app: WholeApp, number: str = "1", tab: str = "") -> Path | None:
    uploads = upload_files.served()
    assert uploads is not None
    return uploads.path(tab or app.tab, number)


def test_a_large_file_is_never_held_in_memory(app: WholeApp) -> None:
    assert app.send(form(1), number="warm up")[0] == 204
    tracemalloc.start()
    statuses = [app.send(form(60 * MEGABYTE), number=str(number))[0] for number in range(2)]
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert statuses == [204, 204] and held < 4 * MEGABYTE and peak < 8 * MEGABYTE
    paths = [kept(app, number) for number in "01"]
    assert [path.stat().st_size for path in paths if path] == [60 * MEGABYTE] * 2
    records = Runtime.instance().uploaded_file_mgr.get_files(app.tab, ["0", "1"])
    assert [(one.name, one.type, one.data) for one in records] == [("film.mp4", "video/mp4", b"")] * 2


def test_the_bytes_of_the_file_are_what_was_sent_however_they_were_cut(app: WholeApp) -> None:
    content = b"-xx almost a border\r\n--x\r\n--" * 50 + b"\r\n--xy--\r\n\r"
    whole = (
        b'--xx\r\nContent-Disposition: form-data; name="f"; filename="a b.mp4"\r\n\r\n' + content + b"\r\n--xx--\r\n"
    )
    for step in (1, 7, len(whole)):
        cut = [whole[place : place + step] for place in range(0, len(whole), step)]
        assert app.send(raw(*cut), number=str(step))[0] == 204
        path = kept(app, str(step))
        assert path is not None and path.read_bytes() == content
    assert app.send(form(0), number="empty")[0] == 204
    path = kept(app, "empty")
    assert path is not None and path.read_bytes() == b""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_files_are_for_their_owner_only_and_go_with_the_field_and_the_tab(app: WholeApp) -> None:
    other = app.open_tab()
    for tab, number in ((app.tab, "1"), (app.tab, "2"), (other, "1")):
        assert app.send(form(10), number, tab)[0] == 204
    folder = app.files()[0].parent
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in app.files()} == {0o600}
    assert app.send(raw(), "1", method="DELETE")[0] == 204
    assert kept(app, "1") is None and len(app.files()) == 2
    app.close_tab(app.tab)
    assert len(app.files()) == 1 and kept(app, "1", other) is not None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_xsrftoken": None}, 403), ({"x_xsrftoken": "wrong"}, 403), ({"cookie": None}, 403),
        ({"x_xsrftoken": "2|00000000|00|1"}, 403), ({"origin": None}, 403), ({"origin": "null"}, 403),
        ({"origin": "http://evil.example"}, 403), ({"host": "evil.example"}, 403),
        ({"content_type": "text/plain"}, 400), ({"content_type": None}, 400),
        ({"content_type": "multipart/form-data"}, 400), ({"content_type": "application/x-www-form-urlencoded"}, 400),
        ({"content_type": "multipart/form-data; boundary=other"}, 400), ({"content_length": "x"}, 400),
        ({"content_length": str(400 * MEGABYTE)}, 413),
    ],
)  # fmt: skip
def test_what_is_no_upload_of_the_own_page_is_refused(app: WholeApp, headers: dict[str, Any], status: int) -> None:
    assert app.send(form(2 * MEGABYTE), **headers)[0] == status
    assert app.files() == [] and kept(app) is None


@pytest.mark.parametrize("path", [
    "/_stcore/upload_file/nobody/1", "/_stcore/upload_file/../1", "/_stcore/upload_file/{tab}/../../x",
    "/_stcore/upload_file/{tab}/", "/_stcore/upload_file//1", "/_stcore/upload_file/{tab}/a/b",
    "/x/_stcore/upload_file/{tab}/1",
    "//_stcore/upload_file/{tab}/1", "/_stcore/upload_file/{tab}%2f1",
])  # fmt: skip
def test_foreign_tabs_and_tricks_in_the_path_are_refused(app: WholeApp, path: str) -> None:
    status, _ = app.send(form(10), path=path.format(tab=app.tab))
    assert status in (308, 400, 403, 404, 405) and app.files() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b.mp4", "\u202e4pm.exe", "x" * 3000, ""])
def test_no_name_leads_out_of_the_folder(app: WholeApp, name: str, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(app.folder)}
    for number in ("1", "..", "%2e%2e", "x" * 300):
        assert app.send(form(10, name), number)[0] == 204
    assert len(app.files()) == 4 and {path.name for path in app.files()} <= {str(number) for number in range(9)}
    assert before == {path for path in tmp_path.rglob("*") if not path.is_relative_to(app.folder)}


PART = b'--xx\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n'
FIELD = b'--xx\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'


@pytest.mark.parametrize(
    "parts",
    [
        [PART, PART, b"--xx--\r\n"], [FIELD] * 5000 + [b"--xx--\r\n"], [FIELD, b"--xx--\r\n"], [b"--xx--\r\n"], [],
        [b"nonsense"], [PART], [b"--xx\r\n" + b"A: b\r\n" * 5000],
        [b"--xx\r\nContent-Disposition: form-data; name=f; filename=" + b"x" * 20_000 + b"\r\n\r\nx\r\n--xx--\r\n"],
    ],
    ids=["two files", "many fields", "no file", "no part", "empty", "nonsense", "no end", "headers", "long header"],
)  # fmt: skip
def test_a_form_that_is_damaged_or_too_much_is_refused(app: WholeApp, parts: list[bytes]) -> None:
    assert app.send(raw(*parts))[0] == 400
    assert app.files() == [] and kept(app) is None


def test_without_a_length_the_limit_holds_and_the_rest_is_not_read(app: WholeApp) -> None:
    read = 0

    async def endless() -> AsyncIterator[Any]:
        nonlocal read
        yield b'--xx\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        for _ in range(10_000):
            read += len(CHUNK)
            yield CHUNK

    config.set_option("server.maxUploadSize", 3)
    assert app.send(endless)[0] == 413
    assert read < 6 * MEGABYTE and app.files() == []
    assert app.send(form(3 * MEGABYTE))[0] == 204 and app.send(form(3 * MEGABYTE + 1), "2")[0] == 413
    assert app.send(form(MEGABYTE, before=bytes(5 * MEGABYTE)), "2")[0] in (400, 413)


def test_what_breaks_off_or_stops_leaves_nothing(app: WholeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    assert app.send(form(5 * MEGABYTE, ends=False)) == (0, "")  # nobody reads an answer
    assert app.files() == [] and kept(app) is None
    monkeypatch.setattr(upload_stream, "PATIENCE", 0.05)

    async def stops() -> AsyncIterator[Any]:
        yield PART
        await asyncio.sleep(20)

    assert app.send(stops)[0] == 408 and app.files() == []
    assert app.send(form(10))[0] == 204


def test_a_file_that_arrives_after_its_tab_was_closed_is_not_kept(app: WholeApp) -> None:
    other = app.open_tab()

    async def body() -> AsyncIterator[Any]:
        yield PART[:-2]
        Runtime.instance().close_session(other)
        yield b"\r\n--xx--\r\n"

    assert app.send(body, tab=other)[0] == 410 and app.files() == [] and kept(app, "1", other) is None


def problem(app: WholeApp) -> str:
    uploads = upload_files.served()
    assert uploads is not None
    return uploads.problem(app.tab)


def test_a_full_disk_is_said_in_words(app: WholeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(upload_files, "_draw_again", drawn.append)
    real = shutil.disk_usage(app.folder)

    def usage(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(total=1 << 40, free=free))

    usage(260 * MEGABYTE)
    assert app.send(form(10), content_length=str(90 * MEGABYTE))[0] == 507  # announced, so refused before its bytes
    assert "No space left on device" in problem(app) and problem(app) == "" and drawn == [app.tab]
    assert app.send(form(20 * MEGABYTE))[0] == 204  # nothing is announced, and the disk does not fill here
    usage(255 * MEGABYTE)
    status, words = app.send(form(10), "2")
    assert status == 507 and "Make free space" in words and "Make free space" in problem(app)
    usage(1 << 40)
    monkeypatch.setattr(upload_files.Arrival, "write", _full)
    assert app.send(form(10), "2")[0] == 507 and "No space left" in problem(app)
    assert len(app.files()) == 1


def _full(*_: object) -> None:
    raise upload_files._unwritable(OSError(28, "No space left on device"))


def test_one_teacher_cannot_fill_the_disk_and_gets_the_room_back(
    app: WholeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_files, "MOST_TOGETHER", 10)
    other = app.open_tab()  # without login, all tabs are the same teacher's
    assert app.send(form(4 * MEGABYTE))[0] == 204 and app.send(form(4 * MEGABYTE), tab=other)[0] == 204
    assert app.send(form(4 * MEGABYTE), "2")[0] == 413 and "10 MB" in problem(app)
    assert app.send(form(4 * MEGABYTE), "1")[0] == 413  # the old one lies there until the new one has arrived
    app.close_tab(other)
    assert app.send(form(4 * MEGABYTE), "2")[0] == 204
    assert app.send(raw(), "2", method="DELETE")[0] == 204
    assert app.send(form(5 * MEGABYTE), "1")[0] == 204
    monkeypatch.setattr(upload_files, "MOST_FILES", 2)
    assert [app.send(form(1), number)[0] for number in "78"] == [204, 413]
    app.send(raw(), "1", method="DELETE"), app.send(raw(), "7", method="DELETE")
    uploads = upload_files.served()
    assert uploads is not None and not uploads._bytes and not uploads._files and not uploads._arriving


KILLED = """
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from fewshot.app.upload_files import Arrival, DiskUploads
uploads = DiskUploads(MemoryUploadedFileManager("/upload"))
arrival = Arrival(uploads, ("tab", "1"), None)
arrival.write(bytes(1 << 20))
print(arrival.path, flush=True)
input()
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
def test_what_a_killed_server_leaves_goes_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert program.stdout and program.stdin
    try:
        path = Path(program.stdout.readline().strip())
        assert path.is_relative_to(tmp_path) and clean_up() == 0
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait(20)
        program.stdin.close()
        program.stdout.close()
    assert path.exists() and clean_up() == 1 and not path.exists()
