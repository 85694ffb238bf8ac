"""Only a model that is not there is replaced by a weaker one, and the class says so."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.recognition import is_weaker
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands.doctor import _database
from fewshot.errors import ModelMissing, ModelUnavailable
from fewshot.models import registry
from fewshot.perception import open_perception

ROOT = Path(__file__).resolve().parents[2]
RECOGNISER, DETECTOR = "w600k_mbf.onnx", "det_500m.onnx"


@pytest.fixture(autouse=True)
def no_models_of_this_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nobody")


@pytest.fixture
def pack(fewshot_home: Path) -> Path:
    folder = fewshot_home / "models" / "buffalo_sc"
    folder.mkdir(parents=True)
    return folder


def published(monkeypatch: pytest.MonkeyPatch, name: str, content: bytes) -> None:
    """Make ``content`` the right content of a model."""
    entry = replace(registry.REGISTRY[name], sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(registry.REGISTRY, name, entry)


def test_a_missing_model_is_replaced_and_named() -> None:
    perception = open_perception(download=False)
    assert perception.recogniser is None and len(perception.notes) == 2
    assert [word for word in ("cascades", "less reliably") if word in " ".join(map(str, perception.notes))] == [
        "cascades",
        "less reliably",
    ]
    with pytest.raises(ModelMissing):
        open_perception("cascade", download=False, recogniser="mobilefacenet")


@pytest.mark.parametrize("file", [RECOGNISER, DETECTOR])
@pytest.mark.parametrize("spoilt", ["cut off", "empty", "a folder", "a link to nowhere"])
def test_a_model_that_is_there_and_wrong_is_an_error(pack: Path, file: str, spoilt: str) -> None:
    path = pack / file
    if spoilt == "a folder":
        path.mkdir()
    elif spoilt == "a link to nowhere":
        path.symlink_to(pack / "nowhere")
    else:
        path.write_bytes(b"" if spoilt == "empty" else b"\x08\x07half a network")
    with pytest.raises(ModelUnavailable, match=f"{file}.*cannot be used") as caught:
        open_perception("auto" if file == DETECTOR else "cascade", download=False)
    assert not isinstance(caught.value, ModelMissing)


@pytest.mark.parametrize(("name", "file"), [("mobilefacenet", RECOGNISER), ("scrfd_500m", DETECTOR)])
def test_a_right_file_that_does_not_load_is_an_error(
    pack: Path, name: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pack / file).write_bytes(b"not a network")
    published(monkeypatch, name, b"not a network")
    with pytest.raises(ModelUnavailable, match="cannot load the network"):
        open_perception("auto" if name == "scrfd_500m" else "cascade", download=False)


def test_no_memory_for_the_recogniser_is_an_error(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pack / RECOGNISER).write_bytes(b"x")
    published(monkeypatch, "mobilefacenet", b"x")

    def full(*_arguments: object, **_options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("fewshot.faces.identity.open_session", full)
    with pytest.raises(MemoryError):
        open_perception("cascade", download=False)


PHOTOS = """
import sys
from pathlib import Path
from fewshot.demo.sample import enrollment_photos, sample_picture
enrollment_photos(sample_picture(), Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of four people."""
    folder = tmp_path_factory.mktemp("photos")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", PHOTOS, str(folder)], env=environment, check=True)
    return folder


def test_a_class_of_the_weaker_network_says_so_everywhere(photos: Path) -> None:
    words = ["--consent-by", "the test", "--detector", "cascade", "--offline"]
    said = CliRunner().invoke(app, ["enroll", "physics 9", str(photos), *words])
    assert said.exit_code == 0, said.output
    assert is_weaker(ClassStore().networks("physics 9"))
    finding = _database()
    assert finding.state == "warning"
    for text in (said.output, CliRunner().invoke(app, ["roster", "physics 9"]).output, finding.advice):
        plain = " ".join(text.split())
        assert "built-in network" in plain
        assert 'fewshot roster "physics 9" --remove STUDENT' in plain or "fewshot roster 'physics 9' --remove" in plain


def test_a_class_of_the_recogniser_is_not_called_weaker() -> None:
    assert not is_weaker(None) and not is_weaker(Networks("a", "w600k_mbf", 128, 512))


def test_three_programs_that_need_a_download_at_once(shared: Path, fewshot_home: Path) -> None:
    content = (shared / "models/detectors/face_detection_yunet_2023mar.onnx").read_bytes()
    requests: list[str] = []

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(OSError):  # a client that fails closes the connection
                for start in range(0, len(content), 16_384):
                    self.wfile.write(content[start : start + 16_384])
                    time.sleep(0.05)

        def log_message(self, *_arguments: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "FEWSHOT_MODELS_URL": address}
        code = "import fewshot.models.files as f; print(f.resolve('yunet'))"
        words = [sys.executable, "-c", code]
        processes = [
            subprocess.Popen(words, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for _ in range(3)
        ]
        said = [process.communicate(timeout=60)[0] for process in processes]
        server.shutdown()
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert len(requests) == 1
    assert [path.name for path in (fewshot_home / "models").iterdir()] == ["face_detection_yunet_2023mar.onnx"]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_three_enrollments_at_once_in_a_new_home(shared: Path, photos: Path, fewshot_home: Path, engine: str) -> None:
    if find_spec(engine) is None:
        pytest.skip(f"needs {engine}")
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "FEWSHOT_SHARED": str(shared), "FEWSHOT_ENGINE": engine,
    }  # fmt: skip
    words = [sys.executable, "-m", "fewshot", "enroll"]
    rest = [str(photos), "--consent-by", "the test", "--offline"]
    processes = [
        subprocess.Popen(
            [*words, name, *rest], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for name in ("one", "two", "one")
    ]
    said = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    store = ClassStore()
    for name in ("one", "two"):
        networks = store.networks(name)
        assert networks is not None and networks.identity_network == "w600k_mbf"
        assert len(store.roster(name).students) == 4
    assert not [text for text in said if "less reliably" in text]
