"""Where model files come from: the order of places, the download against a local server, licences in words."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

import pytest

from fewshot.errors import ModelUnavailable, UsageError
from fewshot.models import download, offline
from fewshot.models import files as models
from fewshot.models.registry import BUFFALO_SC, REGISTRY, Remote

CONTENT = {"det_500m.onnx": bytes(range(256)) * 400, "w600k_mbf.onnx": os.urandom(300_000)}
YUNET = os.urandom(50_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pack() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in CONTENT.items():
            archive.writestr(f"buffalo_sc/{name}", content)
    return buffer.getvalue()


PACK = pack()


class Mirror(ThreadingHTTPServer):
    """A model mirror that can be told to misbehave."""

    daemon_threads = True
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"buffalo_sc.zip": PACK, "face_detection_yunet_2023mar.onnx": YUNET}
        self.requests: list[str | None] = []
        self.cut_after: list[int] = []  # one entry a connection to be cut
        self.ranges = True
        self.lengths = True
        self.silent = False
        self.ended = threading.Event()

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append(asked)
        if self.server.silent:
            self.server.ended.wait(10)
            return
        content = self.server.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.server.lengths:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body[: self.server.cut_after.pop(0)] if self.server.cut_after else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def small_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The registry's models, but a few kB each; no folder of the person who runs the tests; nothing remembered."""
    archive = Remote(BUFFALO_SC.url, "buffalo_sc.zip", sha256(PACK), len(PACK))
    for name in ("scrfd_500m", "mobilefacenet"):
        content = CONTENT[REGISTRY[name].file]
        small = replace(REGISTRY[name], sha256=sha256(content), size=len(content), archive=archive)
        monkeypatch.setitem(REGISTRY, name, small)
    monkeypatch.setitem(REGISTRY, "yunet", replace(REGISTRY["yunet"], sha256=sha256(YUNET), size=len(YUNET)))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "user")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(models, "REPOSITORY_WEIGHTS", tmp_path / "repository")
    monkeypatch.setattr(offline, "_since", {})
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Nothing listens on port 1: a test that forgets its mirror fails at once and stays off the internet.
    monkeypatch.setenv("FEWSHOT_MODELS_URL", "http://127.0.0.1:1")


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    with Mirror() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        monkeypatch.setenv("FEWSHOT_MODELS_URL", server.url() + "/")
        yield server
        server.ended.set()
        server.shutdown()
        thread.join(5)
    assert not thread.is_alive()


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def no_download_thread_left() -> bool:
    for thread in threading.enumerate():
        if thread.name == "fewshot-download":
            thread.join(models.START_PATIENCE + 2)
    return not any(thread.name == "fewshot-download" for thread in threading.enumerate())


# Places


def test_home_is_given_or_the_users_own(fewshot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.home() == fewshot_home
    monkeypatch.setenv("FEWSHOT_HOME", "")
    assert models.home() == Path.home() / ".fewshot"


def test_places_count_in_order(fewshot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = CONTENT["det_500m.onnx"]
    monkeypatch.setenv("FEWSHOT_SHARED", str(tmp_path / "shared"))
    places = [
        tmp_path / "shared/models/insightface/models/buffalo_sc/det_500m.onnx",
        tmp_path / "user/.insightface/models/buffalo_sc/det_500m.onnx",
        fewshot_home / "models/buffalo_sc/det_500m.onnx",
    ]
    for place in places:
        put(place, content)
        assert models.resolve("scrfd_500m", download=False) == place
    given = put(tmp_path / "mine/own.onnx", b"anything")
    assert models.resolve("scrfd_500m", given) == given


def test_a_folder_may_be_given(tmp_path: Path) -> None:
    file = put(tmp_path / "folder/det_500m.onnx", b"anything")
    assert models.resolve("scrfd_500m", tmp_path / "folder") == file


def test_a_missing_given_path_is_wrong_usage_and_never_replaced(tmp_path: Path) -> None:
    put(models.home() / "models/buffalo_sc/det_500m.onnx", CONTENT["det_500m.onnx"])
    with pytest.raises(UsageError, match="no file"):
        models.resolve("scrfd_500m", tmp_path / "typo.onnx")
    with pytest.raises(UsageError, match=r"no model called 'scrfd'.*scrfd_500m"):
        models.resolve("scrfd")


def test_a_damaged_file_is_passed_over_and_named(fewshot_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    damaged = put(fewshot_home / "models/buffalo_sc/det_500m.onnx", CONTENT["det_500m.onnx"][:-1])
    good = put(Path.home() / ".insightface/models/buffalo_sc/det_500m.onnx", CONTENT["det_500m.onnx"])
    assert models.resolve("scrfd_500m", download=False) == good
    assert str(damaged) in caplog.text


def test_a_known_copy_does_as_well(fewshot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = MappingProxyType({sha256(b"rebuilt"): "rebuilt from int8"})
    monkeypatch.setitem(REGISTRY, "mobilefacenet", replace(REGISTRY["mobilefacenet"], copies=copies))
    place = put(fewshot_home / "models/buffalo_sc/w600k_mbf.onnx", b"rebuilt")
    assert models.resolve("mobilefacenet", download=False) == place
    assert {check.text for check in models.verify() if check.ok} == {"rebuilt from int8"}


def test_embedded_files_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = replace(models.REGISTRY["expression"], sha256=None, size=None)
    monkeypatch.setitem(models.REGISTRY, "expression", unknown)
    with pytest.raises(ModelUnavailable, match="install fewshot again"):
        models.resolve("expression")
    file = put(tmp_path / "weights/expression.onnx", b"weights")
    assert models.resolve("expression") == file
    check = next(check for check in models.verify() if check.model.name == "expression")
    assert check.ok and check.origin == "embedded" and "size only" in check.text


def test_what_only_the_repository_has_is_not_sought_on_the_internet(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEWSHOT_MODELS_URL")
    asked: list[object] = []
    monkeypatch.setattr(download, "fetch", lambda *arguments: asked.append(arguments))
    for ask in (models.resolve, lambda name: models.pull([name])):
        with pytest.raises(
            ModelUnavailable, match=r"expression_fp32\.onnx .*copy experiments/weights/.*from a checkout"
        ):
            ask("expression_fp32")
    assert asked == [] and not (models.home() / "offline.json").exists()


def test_what_only_the_repository_has_is_found_in_a_checkout_and_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(REGISTRY["expression_fp32"], sha256=sha256(b"weights"), size=7)
    monkeypatch.setitem(REGISTRY, "expression_fp32", small)
    checkout = put(tmp_path / "repository/expression_fp32.onnx", b"weights")
    assert models.resolve("expression_fp32") == checkout
    copied = put(models.home() / "models/expression_fp32.onnx", b"weights")
    assert models.resolve("expression_fp32") == copied
    put(copied, b"damaged")
    assert models.resolve("expression_fp32") == checkout
    put(checkout, b"damaged too")
    with pytest.raises(ModelUnavailable, match="from a checkout"):
        models.resolve("expression_fp32", download=False)
    checks = [check for check in models.verify() if check.model.name == "expression_fp32"]
    assert [check.origin for check in checks] == ["cache", "repository"]
    assert all(not check.ok and "damaged" in check.text and "models pull" not in check.text for check in checks)


def test_a_mirror_may_have_what_only_the_repository_has(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(REGISTRY["expression_fp32"], sha256=sha256(b"weights"), size=7)
    monkeypatch.setitem(REGISTRY, "expression_fp32", small)
    with pytest.raises(ModelUnavailable, match="answered 404"):
        models.pull(["expression_fp32"])
    mirror.files["expression_fp32.onnx"] = b"weights"
    assert models.pull(["expression_fp32"])[0].read_bytes() == b"weights"


# Download


def test_the_pack_is_downloaded_once_for_both_models(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    detector, recogniser = models.resolve("scrfd_500m"), models.resolve("mobilefacenet")
    assert detector.read_bytes() == CONTENT["det_500m.onnx"]
    assert recogniser.read_bytes() == CONTENT["w600k_mbf.onnx"]
    assert mirror.requests == [None]
    assert [path.name for path in (models.home() / "models").iterdir()] == ["buffalo_sc"]
    assert sorted(path.name for path in detector.parent.iterdir()) == ["det_500m.onnx", "w600k_mbf.onnx"]
    assert capsys.readouterr() == ("", ""), "the bar is for terminals"


def test_a_single_file_is_downloaded(mirror: Mirror) -> None:
    assert models.resolve("yunet").read_bytes() == YUNET
    assert models.resolve("yunet", download=False) == models.home() / "models/face_detection_yunet_2023mar.onnx"


def test_a_cut_connection_is_taken_up_again(mirror: Mirror) -> None:
    mirror.cut_after = [150_000, 100_000]
    assert models.resolve("mobilefacenet").read_bytes() == CONTENT["w600k_mbf.onnx"]
    starts = [int(asked[6:-1]) for asked in mirror.requests if asked]
    assert len(starts) == 2 and 0 < starts[0] < starts[1]


def test_what_came_is_kept_for_the_next_start(mirror: Mirror) -> None:
    mirror.cut_after = [20_000, 0]
    with pytest.raises(ModelUnavailable, match=r"was lost .*This part is kept"):
        models.resolve("yunet")
    part = models.home() / "models/face_detection_yunet_2023mar.onnx.part"
    kept = part.stat().st_size
    assert 0 < kept <= 20_000
    assert models.resolve("yunet").read_bytes() == YUNET
    assert mirror.requests[-1] == f"bytes={kept}-" and not part.exists()


@pytest.mark.parametrize("lengths", [True, False])
def test_a_server_without_ranges_starts_over(mirror: Mirror, lengths: bool) -> None:
    mirror.ranges, mirror.lengths, mirror.cut_after = False, lengths, [20_000]
    assert models.resolve("yunet").read_bytes() == YUNET


def test_an_old_half_of_another_file_is_dropped(mirror: Mirror) -> None:
    put(models.home() / "models/face_detection_yunet_2023mar.onnx.part", b"\0" * 10_000)
    assert models.resolve("yunet").read_bytes() == YUNET
    assert mirror.requests == ["bytes=10000-", None]


@pytest.mark.parametrize("left", [len(YUNET), len(YUNET) + 5])
def test_a_part_as_long_as_the_file_or_longer_is_no_trap(mirror: Mirror, left: int) -> None:
    put(models.home() / "models/face_detection_yunet_2023mar.onnx.part", (YUNET + b"12345")[:left])
    assert models.resolve("yunet").read_bytes() == YUNET


def test_wrong_content_is_refused_and_removed(mirror: Mirror) -> None:
    mirror.files = dict.fromkeys(mirror.files, b"x" * len(YUNET))
    with pytest.raises(ModelUnavailable, match=r"wrong checksum.*removed"):
        models.resolve("yunet")
    assert list((models.home() / "models").iterdir()) == []


@pytest.mark.parametrize("lengths", [True, False])
def test_a_login_page_is_no_model(mirror: Mirror, lengths: bool) -> None:
    mirror.files, mirror.lengths = dict.fromkeys(mirror.files, b"<html>log in" * 9_000), lengths
    with pytest.raises(ModelUnavailable, match="login page" if lengths else "wrong checksum"):
        models.resolve("yunet")
    assert not (models.home() / "models/face_detection_yunet_2023mar.onnx").exists()


def test_an_answer_that_is_an_error_is_told(mirror: Mirror) -> None:
    mirror.files = {}
    with pytest.raises(ModelUnavailable, match=r"answered 404 .*FEWSHOT_MODELS_URL"):
        models.resolve("scrfd_500m")
    assert not (models.home() / "offline.json").exists(), "the network did answer"


def test_a_full_or_forbidden_disk_is_told(mirror: Mirror) -> None:
    put(models.home() / "models", b"a file where the folder should be")
    with pytest.raises(ModelUnavailable, match=r"cannot be written .*FEWSHOT_HOME"):
        models.resolve("yunet")


def test_a_bar_on_a_terminal(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    models.resolve("yunet")
    assert "face_detection_yunet_2023mar.onnx" in terminal.getvalue()


# Without internet


def test_no_internet_is_one_line_with_what_to_do() -> None:
    with pytest.raises(ModelUnavailable) as caught:
        models.resolve("scrfd_500m")
    text = str(caught.value)
    assert "no connection" in text and "fewshot models pull" in text and "copy it to" in text and "\n" not in text


def test_a_silent_server_costs_less_than_three_seconds_once(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.silent = True
    started = time.perf_counter()
    for name in ("scrfd_500m", "mobilefacenet", "yunet"):
        with pytest.raises(ModelUnavailable):
            models.resolve(name)
    # Once 2.2 s, not three times; what is above it is for a busy machine.
    assert time.perf_counter() - started < 2 * models.START_PATIENCE
    assert mirror.requests == [None]

    monkeypatch.setattr(offline, "_since", {})  # the next start
    started = time.perf_counter()
    with pytest.raises(ModelUnavailable, match="was not tried again"):
        models.resolve("scrfd_500m")
    assert time.perf_counter() - started < 0.5

    mirror.silent = False
    assert models.pull(["yunet"])[0].read_bytes() == YUNET  # whoever asks for it does not care what was
    assert models.resolve("scrfd_500m").exists(), "the network is back"
    mirror.ended.set()
    assert no_download_thread_left()


def test_a_name_that_is_never_found_out_costs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(download.requests, "get", lambda *_, **__: released.wait(10) and None)
    monkeypatch.setattr(models, "START_PATIENCE", 0.1)
    started = time.perf_counter()
    with pytest.raises(ModelUnavailable, match=r"no answer within 0\.1 s"):
        models.resolve("scrfd_500m")
    assert time.perf_counter() - started < 1.0
    released.set()
    assert no_download_thread_left()


def test_the_memory_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "offline.json"
    offline.remember(file, "internet")
    assert offline.was_silent(file, "internet") and not offline.was_silent(file, "another mirror")
    now = time.time()
    for moment in (now + offline.MEMORY + 1, now - 3600):  # later, and a clock that was set back
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        assert not offline.was_silent(file, "internet")
    monkeypatch.undo()
    file.write_text('["damaged"', encoding="utf-8")
    offline.forget(file, "internet")
    assert not file.exists() and not offline.was_silent(file, "internet")


def test_pull_fetches_what_it_can(mirror: Mirror) -> None:
    del mirror.files["buffalo_sc.zip"]
    with pytest.raises(ModelUnavailable, match=r"404 .*buffalo_sc.zip"):
        models.pull()
    assert len(mirror.requests) == 2, "one for the pack, one for YuNet"
    assert models.resolve("yunet", download=False).exists()


# What the command line shows


def test_rows_say_what_is_here(mirror: Mirror, tmp_path: Path) -> None:
    assert {check.origin for check in models.list_models()} == {"missing"}
    models.pull()
    put(tmp_path / "weights/landmarks.onnx", b"weights")
    rows = {check.model.name: check for check in models.list_models()}
    assert list(rows) == list(REGISTRY)
    assert [rows[name].origin for name in rows] == ["cache", "cache", "cache", "embedded", *["missing"] * 5]
    put(models.home() / "models/buffalo_sc/det_500m.onnx", b"broken")
    broken = next(check for check in models.verify() if check.model.name == "scrfd_500m")
    assert not broken.ok and "damaged" in broken.text and "fewshot models pull" in broken.text


def test_the_strictest_licence_decides() -> None:
    default = models.chain_licence(["scrfd_500m", "mobilefacenet", "expression"])
    assert "NON-COMMERCIAL RESEARCH ONLY" in default and "scrfd_500m, mobilefacenet (InsightFace pack" in default
    freed = models.chain_licence(["yunet", "expression"])
    assert "NON-COMMERCIAL RESEARCH ONLY" in freed and "Free for any use without the others: yunet (MIT" in freed
    assert models.chain_licence(["yunet"]).startswith("Any use is allowed")


def test_what_is_not_downloaded_is_cheap_to_import() -> None:
    code = "import sys, fewshot.models.files; sys.exit(bool({'requests', 'rich', 'cv2', 'numpy'} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_the_copies_in_the_shared_folder_are_known(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the registry as it is
    monkeypatch.setenv("FEWSHOT_HOME", str(shared / "no-such-home"))
    monkeypatch.setenv("FEWSHOT_SHARED", str(shared))
    found = {check.model.name: check for check in models.verify() if check.origin == "FEWSHOT_SHARED"}
    assert {"scrfd_500m", "mobilefacenet", "yunet"} <= set(found)
    assert all(check.ok for check in found.values())
    assert "rebuilt" in found["mobilefacenet"].text
