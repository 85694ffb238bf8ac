"""``fewshot doctor``: does this machine have everything that a lesson needs, and if not, what to do."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from threading import Thread
from typing import TYPE_CHECKING, Literal

from fewshot import __version__
from fewshot.commands.terminal import FAILED, cell, console, table, tell
from fewshot.models.files import home, list_models
from fewshot.private_files import make_private_folder

if TYPE_CHECKING:
    from fewshot.access.safety import Safety

LIBRARIES = (
    "numpy",
    "opencv-python",
    "onnxruntime",
    "insightface",
    "faiss-cpu",
    "scipy",
    "sqlalchemy",
    "alembic",
    "pillow",
    "pillow-heif",
    "mss",
)
ENOUGH_SPACE = 500_000_000
"""Bytes that should be free in the program's folder, for models, a class and a timeline."""
PATIENCE = 8.0
"""Seconds to wait for a device that does not answer."""

State = Literal["ok", "warning", "problem"]
_COLOURS: dict[State, str] = {"ok": "green", "warning": "yellow", "problem": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. After a warning, only a part of the program does not work."""

    what: str
    state: State
    text: str
    advice: str = ""


def run_doctor() -> int:
    """Run all checks and print the results. Returns 1 if there is a problem, else 0."""
    rows = table("Check", "State", "Found", "What to do")
    worst = 0
    for finding in findings():
        colour = _COLOURS[finding.state]
        rows.add_row(finding.what, f"[{colour}]{finding.state}[/]", cell(finding.text), cell(finding.advice))
        worst = FAILED if finding.state == "problem" else worst
    console().print(rows)
    tell('There is a problem. See the column "What to do".' if worst else "Everything that is needed works.")
    return worst


def findings() -> Iterator[Finding]:
    """Run one check after the other."""
    yield _python()
    yield from (_library(name) for name in LIBRARIES)
    yield from _models()
    yield _guarded("Engine", _engine)
    yield _guarded("Speed", _speed)
    yield _guarded("Camera", _camera)
    yield _guarded("Screen", _screen)
    yield _guarded("Window", _window)
    yield _guarded("Video files", _video)
    yield _guarded("Folder", _folder)
    yield _guarded("Database", _database)
    yield _guarded("Encryption", _encryption)
    yield _guarded("Backups", _backups)


def _guarded(what: str, check: Callable[[], Finding]) -> Finding:
    """Run a check that may hang or raise anything, because of a driver; the doctor must still reach the end."""
    found: list[Finding] = []

    def try_it() -> None:
        try:
            found.append(check())
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            found.append(Finding(what, "problem", text, "Install fewshot again, then type: fewshot doctor"))

    # A daemon, because the interpreter waits for all other threads when it ends.
    thread = Thread(target=try_it, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if found:
        return found[0]
    advice = {"Camera": "Unplug the camera and plug it in again.", "Window": "Use --no-show, and --save OUT.mp4."}
    busy = "The computer may be busy. Close other programs, then type: fewshot doctor"
    return Finding(what, "warning", f"no answer within {PATIENCE:.0f} s", advice.get(what, busy))


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, fewshot {__version__}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", "ok", text)
    return Finding("Python", "problem", text, "Install Python 3.11, 3.12 or 3.13.")


def _library(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        if name == "opencv-python":
            return _other_opencv()
        if name == "pillow-heif":
            advice = "HEIC photos of phones cannot be read. If you need them: pip install '.[heif]'"
            return Finding(name, "warning", "not installed", advice)
        return Finding(name, "problem", "not installed", f"pip install {name}")


def _other_opencv() -> Finding:
    for variant in ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"):
        try:
            text = f"{variant} {version(variant)}"
        except PackageNotFoundError:
            continue
        return Finding(
            "opencv-python", "warning", text, "It cannot open windows. If you need them: pip install opencv-python"
        )
    return Finding("opencv-python", "problem", "not installed", "pip install opencv-python")


def _models() -> Iterator[Finding]:
    for check in list_models():
        what = f"Model {check.model.name}"
        if check.ok:
            yield Finding(what, "ok", f"{check.origin}: {check.path}. {check.model.licence}")
        elif check.model.embedded:
            yield Finding(what, "problem", check.text, "Install fewshot again.")
        elif check.model.in_repository:
            # If this machine needs it, the check of the engine gives a warning.
            state: State = "ok" if check.path is None else "warning"
            yield Finding(what, state, "not installed; only graphics cards use it" if state == "ok" else check.text)
        elif check.path is None:
            advice = "To get better results, type: fewshot models pull. Without it a weaker model is used."
            yield Finding(what, "warning", "not installed", advice)
        else:
            # A file that is there and does not load stops a run: no weaker model takes its place.
            advice = f"Delete {check.path}, then type: fewshot models pull"
            yield Finding(what, "problem", check.text, advice)


def _engine() -> Finding:
    """The engine that runs the networks, and why it was chosen. A network is opened to see whether it works."""
    from fewshot.embedding.runtime import open_embedder
    from fewshot.errors import FewshotError
    from fewshot.inference.onnx import choose_engine

    try:
        choice = choose_engine()
        embedder = open_embedder()
    except FewshotError as error:
        return Finding("Engine", "problem", str(error), "Unset FEWSHOT_ENGINE, or install the engine that it names.")
    if embedder.note:
        return Finding("Engine", "warning", f"{embedder.engine}, because {choice.why}", str(embedder.note))
    return Finding("Engine", "ok", f"{embedder.engine}, because {choice.why}")


def _speed() -> Finding:
    """How much of this machine a lesson takes."""
    from fewshot.commands.speed import measure
    from fewshot.errors import FewshotError

    try:
        speed = measure()
    except FewshotError as error:
        return Finding("Speed", "warning", "cannot be measured", str(error))
    return Finding("Speed", "warning" if speed.advice else "ok", str(speed), speed.advice)


def _database() -> Finding:
    from fewshot.classroom.owners import Owners
    from fewshot.classroom.recognition import again_by_command, is_weaker, weaker_note
    from fewshot.classroom.store import ClassStore
    from fewshot.database.owner import LOCAL_TEACHER
    from fewshot.errors import FewshotError
    from fewshot.session.analysis.words import counted

    try:
        store, owners = ClassStore(owner=LOCAL_TEACHER), Owners().all()
        classes = store.names()
        weaker = [name for name in classes if is_weaker(store.networks(name))]
        count = sum(len(ClassStore(store.database, owner).names()) for owner in owners if owner.teaches)
        text = f"{store.database.check()}, {counted(count, 'class', 'classes')}"
        if weaker:
            advice = " ".join(f"{weaker_note(name)} {again_by_command(name)}" for name in weaker)
            return Finding("Database", "warning", text, advice)
        return Finding("Database", "ok", text)
    except FewshotError as error:
        return Finding("Database", "problem", "cannot be used", str(error))


def _encryption() -> Finding:
    from fewshot.access.safety import Safety
    from fewshot.errors import FewshotError
    from fewshot.vault import HeldKeys

    try:
        safety = Safety.here()
        if found := _not_encrypted(safety):
            return found
        if not safety.keys.exists:
            return Finding("Encryption", "ok", "on; nothing is stored yet")
        held = isinstance(safety.keys, HeldKeys)
        if not held and not safety.recovery_places():
            advice = "Without one, a lost disk loses everything. Type: fewshot key export FILE"
            return Finding("Encryption", "warning", "on; there is no recovery file", advice)
        return Finding(
            "Encryption", "ok", f"on; {'another computer holds the keys' if held else 'there is a recovery file'}"
        )
    except FewshotError as error:
        return Finding("Encryption", "problem", "cannot be used", str(error))


def _backups() -> Finding:
    from fewshot.access.safety import Safety
    from fewshot.errors import FewshotError
    from fewshot.session.analysis.words import counted

    try:
        safety = Safety.here()
        if safety.no_backup():
            return Finding("Backups", "ok", "this database is in memory")
        managed, made = safety.managed(), safety.backups()
        behind = [shown.place for shown in managed if shown.place.why or not shown.current]
        if behind:
            text = f"{counted(len(behind), 'managed backup')} of {len(managed)} not up to date"
            advice = " ".join(f"{place.file}: {place.logged() or 'The next start writes it.'}" for place in behind)
            return Finding("Backups", "warning", text, advice)
        if not managed and not made and not safety.keys.exists:
            return Finding("Backups", "ok", "nothing is stored yet")
        if not managed and not made:
            return Finding("Backups", "warning", "there is no backup", "To make one, type: fewshot backup FILE")
        latest = max((shown.place.written[:10] for shown in managed), default="")
        text = f"{counted(len(managed), 'managed backup')}, written {latest}" if managed else f"the latest is {made[0]}"
        return Finding("Backups", "ok", text)
    except FewshotError as error:
        return Finding("Backups", "problem", "cannot be used", str(error))


def _not_encrypted(safety: Safety) -> Finding | None:
    """What is readable, or cannot be opened; None if nothing is wrong."""
    from fewshot.session.analysis.words import counted

    if left := safety.plain_rows():
        text = f"{left} classes, students and lessons of an earlier version are not encrypted"
        return Finding("Encryption", "warning", text, "To encrypt them, type: fewshot key seal")
    safety.refuse_lost()
    if lost := safety.check().lost if safety.keys.exists else 0:
        advice = "Put the keys back, or type: fewshot key import FILE"
        return Finding("Encryption", "problem", f"{counted(lost, 'row')} cannot be opened", advice)
    if elsewhere := safety.readable_elsewhere():
        return Finding("Encryption", "warning", f"on; {' '.join(elsewhere)}", "To see it again: fewshot key check")
    return None


def _camera() -> Finding:
    from fewshot.errors import FewshotError
    from fewshot.live.sources import open_source

    try:
        source = open_source(0)
        source.close()
    except FewshotError as error:
        return Finding("Camera", "warning", "camera 0 cannot be opened", error.text)
    return Finding("Camera", "ok", "camera 0 works")


def _screen() -> Finding:
    from fewshot.errors import FewshotError
    from fewshot.live.sources.screen import ScreenSource

    try:
        ScreenSource("screen").close()
    except FewshotError as error:
        return Finding("Screen", "warning", "cannot be captured", str(error))
    return Finding("Screen", "ok", "can be captured")


def _window() -> Finding:
    from fewshot.errors import FewshotError
    from fewshot.live.sinks.window import check_display

    try:
        check_display()
    except FewshotError as error:
        return Finding("Window", "warning", "cannot be opened", str(error))
    return Finding("Window", "ok", "can be opened")


def _video() -> Finding:
    import cv2

    backends = [cv2.videoio_registry.getBackendName(backend) for backend in cv2.videoio_registry.getBackends()]
    text = f"OpenCV {cv2.__version__} with {', '.join(backends)}"
    if "FFMPEG" in backends:
        return Finding("Video files", "ok", text)
    return Finding(
        "Video files", "problem", text, "This OpenCV cannot read videos: pip install --force-reinstall opencv-python"
    )


def _folder() -> Finding:
    folder = home()
    try:
        make_private_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        advice = "Change its permissions, or set FEWSHOT_HOME to a folder that you may write to."
        return Finding("Folder", "problem", f"{folder}: {error.strerror or error}", advice)
    text = f"{folder}, {free / 1e9:.1f} GB free"
    if free < ENOUGH_SPACE:
        return Finding("Folder", "warning", text, "Free some space.")
    return Finding("Folder", "ok", text)
