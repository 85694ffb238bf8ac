"""No command looks a name up, connects to another computer, or writes outside its own folders.

The commands run as users run them: without the variables by which libraries notice an automatic test (CI and others),
in a home folder that is new. ``recorder.c`` is loaded into them; it sees Python and native code alike.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.metadata import distributions, version
from importlib.util import find_spec
from pathlib import Path

import pytest

from fewshot.no_telemetry import SWITCHES

ROOT = Path(__file__).resolve().parents[2]
REPORT_ON_IMPORT = ("openvino", "onnxruntime", "insightface")
"""InsightFace itself does not; it imports onnxruntime."""
HARMLESS = ("/dev/", "/proc/", "/tmp/pymp-")

COMMANDS = """
import fewshot.demo.sample
from fewshot.cli import app
fewshot.demo.sample.SECONDS = 0.4  # six frames show what a hundred would
for words in {commands!r}:
    try:
        app(words)
    except SystemExit as end:
        print("exit code", end.code, *words[:1])
"""


class Recorded:
    """A place for child processes, and what they did there."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder, self._library, self._file = folder, library, folder / "recorded.txt"
        for name in ("home", "cache", "config", "data", "tmp", "work", "fewshot"):
            (folder / name).mkdir()

    def environment(self, **more: str) -> dict[str, str]:
        place = self.folder
        return {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT), "HOME": str(place / "home"), "XDG_CACHE_HOME": str(place / "cache"),
            "XDG_CONFIG_HOME": str(place / "config"), "XDG_DATA_HOME": str(place / "data"),
            "TMPDIR": str(place / "tmp"), "FEWSHOT_HOME": str(place / "fewshot"),
            "LD_PRELOAD": str(self._library), "RECORDER_FILE": str(self._file), **more,
        }  # fmt: skip

    def run(self, *words: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=self.folder / "work", env=self.environment(**more), capture_output=True,
            text=True, timeout=240, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def strays(self) -> list[str]:
        """Look-ups, connections, and files written outside fewshot's folder, the outputs and the temporary folder."""
        lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines() if self._file.exists() else []
        allowed = tuple(f"write {self.folder / name}" for name in ("fewshot", "tmp", "work"))
        allowed += (f"write {self._file}", *(f"write {place}" for place in HARMLESS))
        left = [line for line in lines if not line.startswith(allowed)]
        # What a system call hides from the library still lies in the folders.
        places = (self.folder / name for name in ("home", "cache", "config", "data"))
        return sorted({*left, *(f"left {path}" for place in places for path in place.rglob("*"))})


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorder, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("needs Linux and a C compiler, to see what native code does")
    made = tmp_path_factory.mktemp("recorder") / "recorder.so"
    source = str(Path(__file__).with_name("recorder.c"))
    subprocess.run([compiler, "-shared", "-fPIC", "-U_FORTIFY_SOURCE", "-o", str(made), source, "-ldl"], check=True)
    return made


@pytest.fixture
def recorded(tmp_path: Path, library: Path) -> Recorded:
    place = tmp_path / "recorded"
    place.mkdir()
    return Recorded(place, library)


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("import socket; socket.getaddrinfo('example.com', 80)", "lookup example.com"),
        ("import socket; socket.create_connection(('192.0.2.7', 80), 1)", "lookup 192.0.2.7"),
        (
            "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.7', 53))",
            "connect 192.0.2.7",
        ),
        ("import subprocess; subprocess.run(['sh', '-c', 'echo 1 > $HOME/id'])", "write {home}/id"),
        ("import pathlib; pathlib.Path.home().joinpath('.x').mkdir()", "write {home}/.x"),
        ("import os, sqlite3; sqlite3.connect(os.environ['XDG_CACHE_HOME'] + '/q.db').execute('create table t (a)')",
         "write {cache}/q.db"),
    ],
)  # fmt: skip
def test_the_recorder_sees_what_it_looks_for(recorded: Recorded, code: str, seen: str) -> None:
    recorded.run("-c", code)
    wanted = seen.format(home=recorded.folder / "home", cache=recorded.folder / "cache")
    assert wanted in recorded.strays()


def test_the_recorder_leaves_this_computer_and_the_own_folders_alone(recorded: Recorded) -> None:
    code = """
import os, pathlib, socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(("localhost", server.getsockname()[1])).close()
for name in ("TMPDIR", "FEWSHOT_HOME"):
    pathlib.Path(os.environ[name], "x").write_text("x")
pathlib.Path("output").write_text("x")
print("reached the end")
"""
    assert "reached the end" in recorded.run("-c", code)
    assert recorded.strays() == []


def test_without_our_switches_openvino_reports(recorded: Recorded) -> None:
    # Not find_spec: in this process the package is blocked.
    if not {"openvino", "openvino-telemetry"} <= {one.metadata["Name"] for one in distributions()}:
        pytest.skip("needs openvino and openvino-telemetry")
    recorded.run("-c", "import openvino")
    assert "lookup www.google-analytics.com" in recorded.strays()


def test_without_our_switches_onnx_runtime_keeps_a_device_number(recorded: Recorded) -> None:
    if not version("onnxruntime").startswith(("1.31.", "1.32.")):
        pytest.skip("only these versions are known to report by themselves")
    network = ROOT / "fewshot" / "weights" / "expression.onnx"
    recorded.run("-c", f"import onnxruntime, time; onnxruntime.InferenceSession({str(network)!r}); time.sleep(2)")
    assert [line for line in recorded.strays() if "deviceid" in line]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_commands_keep_to_themselves(recorded: Recorded, engine: str) -> None:
    if find_spec(engine) is None:
        pytest.skip(f"needs {engine}")
    weakest = ["--detector", "cascade", "--offline"]
    commands = [
        ["demo", "--out", "demo", *weakest],
        ["enroll", "physics", "photos", "--consent-by", "the test", *weakest],
        ["analyze", "demo/annotated.mp4", "--class", "physics", "--record", "--save", "out.mp4", *weakest],
        ["live", "--source", "frame.jpg", "--no-show", "--jsonl", "out.jsonl", *weakest],
        ["roster", "physics"], ["lessons"], ["models", "list"], ["doctor"],
        *([["report", "last", "--out", "report.html"], ["report", "last", "--out", "report.pdf"]]
          if find_spec("vl_convert") else []),
    ]  # fmt: skip
    if engine == "openvino":
        commands = commands[:2]  # the other commands differ in nothing that an engine could report
    recorded.run("-c", PHOTOS)
    said = recorded.run("-c", COMMANDS.format(commands=commands), FEWSHOT_ENGINE=engine)
    codes = {line.split()[3]: line.split()[2] for line in said.splitlines() if line.startswith("exit code")}
    assert codes == {words[0]: "0" for words in commands}, said[-2000:]
    assert recorded.strays() == []


PHOTOS = """
from pathlib import Path
import cv2
from fewshot.demo.sample import enrollment_photos, sample_picture
picture = sample_picture()
Path("photos").mkdir()
enrollment_photos(picture, Path("photos"))
cv2.imwrite("frame.jpg", picture)
"""


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_library_keeps_to_itself(recorded: Recorded, engine: str) -> None:
    if find_spec(engine) is None:
        pytest.skip(f"needs {engine}")
    code = """
import fewshot
from fewshot.demo.sample import sample_picture
room = fewshot.Classroom.temporary("physics", detector="cascade", download=False)
assert room.perception.look(sample_picture())
"""
    assert recorded.run("-c", code, FEWSHOT_ENGINE=engine) == ""
    assert recorded.strays() == []


LABELS = """
from pathlib import Path
import cv2, matplotlib, numpy as np
import fewshot
from fewshot.call_labels.reader import open_reader
from fewshot.research.simulation.call_gallery import GalleryLook, draw_gallery
font = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
look = GalleryLook(font, (1280, 720), True, 16)
frames, tiles = draw_gallery(["Asha Patel", "Ben Okafor"], look, np.random.default_rng(0))
print([found.text for found in open_reader().read(frames[0], [tile.face for tile in tiles], [0, 1])])
"""


def test_reading_labels_downloads_nothing_and_logs_nothing(recorded: Recorded) -> None:
    for package, extra in (("rapidocr", "labels"), ("matplotlib", "train")):
        if find_spec(package) is None:
            pytest.skip(f"needs the extra {extra}")
    said = recorded.run("-c", LABELS, MPLCONFIGDIR=str(recorded.folder / "tmp"))
    assert said.splitlines() == ["['Asha Patel', 'Ben Okafor']"]
    assert recorded.strays() == []


def test_an_experiment_keeps_to_itself(recorded: Recorded) -> None:
    if find_spec("hydra") is None or find_spec("matplotlib") is None:
        pytest.skip("needs the extra train")
    recorded.run("-c", PHOTOS)
    # The script has no option that forbids the download of a missing model, which is not what is looked for here.
    silent = json.dumps({"internet": time.time()})
    (recorded.folder / "fewshot" / "offline.json").write_text(silent, encoding="utf-8")
    said = recorded.run(
        str(ROOT / "experiments" / "live_demo.py"), "source=frame.jpg", "show=false", "detector=cascade",
        FEWSHOT_ENGINE="onnxruntime",
    )  # fmt: skip
    assert "1 frame" in said, said
    plot = "import fewshot.research.evaluation.plots, matplotlib.pyplot as p; p.figure().savefig('plot.png')"
    assert recorded.run("-c", plot) == ""
    assert recorded.strays() == []


@pytest.mark.parametrize(("logger", "package"), [("wandb", "wandb"), ("mlflow", "mlflow")])
def test_a_training_run_keeps_its_numbers_to_itself(recorded: Recorded, logger: str, package: str) -> None:
    found = find_spec(package)
    if found is None or found.origin is None or find_spec("pytorch_lightning") is None:
        pytest.skip(f"needs {package} (pip install {package}) and the extra train")
    said = recorded.run(
        str(ROOT / "experiments" / "train.py"), "experiment=smoke", f"logger={logger}", "data.limit=64",
        "backbone.backbone=test_efficientnet", "+backbone.size=48", "+data.size=48", "trainer=cpu",
        "callbacks=none", PYTHONPATH=f"{ROOT}{os.pathsep}{Path(found.origin).parents[1]}",
    )  # fmt: skip
    assert list((recorded.folder / "work").rglob("last.ckpt")), said
    assert recorded.strays() == []


@pytest.fixture
def served(recorded: Recorded) -> Iterator[int]:
    """The port of an app that runs."""
    for name in ("streamlit", "streamlit_webrtc", "altair"):
        pytest.importorskip(name, reason="needs the extra app")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [sys.executable, "-m", "fewshot", "app", "--no-browser", "--port", str(port)]
    with subprocess.Popen(
        words, cwd=recorded.folder / "work", env=recorded.environment(), stdout=subprocess.DEVNULL
    ) as server:
        yield port
        server.terminate()


def test_the_app_keeps_to_itself(recorded: Recorded, served: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{served}/", timeout=10) as answer:
                assert answer.status == 200
                break
        except OSError:
            assert time.monotonic() < deadline, "the app did not start"
            time.sleep(0.3)
    assert recorded.strays() == []


def test_the_switches_are_set_whatever_was_set_before() -> None:
    code = "import fewshot, json, os, sys; print(json.dumps([dict(os.environ), 'openvino_telemetry' in sys.modules]))"
    before = {**os.environ, "ORT_DISABLE_TELEMETRY": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=before, capture_output=True, text=True, check=True)
    environment, blocked = json.loads(done.stdout)
    assert {name: environment.get(name) for name in SWITCHES} == SWITCHES
    assert blocked


def test_mlflow_takes_our_switch_for_a_no() -> None:
    pytest.importorskip("mlflow", reason="needs MLflow: pip install mlflow")
    code = "import fewshot; from mlflow.telemetry.utils import is_telemetry_disabled as off; print(off())"
    unlike_ci = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=unlike_ci, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def test_no_script_imports_a_reporting_library_before_fewshot() -> None:
    wrong = []
    for path in sorted((ROOT / "experiments").rglob("*.py")):
        names = [name for node in ast.parse(path.read_text(encoding="utf-8")).body for name in imported(node)]
        ours = next((place for place, name in enumerate(names) if name == "fewshot"), len(names))
        wrong += [f"{path.name} imports {name}" for name in names[:ours] if name in REPORT_ON_IMPORT]
    assert wrong == []


def imported(node: ast.stmt) -> list[str]:
    """The packages that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").split(".")[0]]
    return [alias.name.split(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []
