"""Scripts of experiments/ as a person runs them: faults end in a sentence, and a line repeats what was run."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

from experiments import evaluate
from fewshot.errors import UsageError
from fewshot.research.evaluation.protocol_results import Context, Report, Table
from fewshot.research.training import prepare

CONF = str(Path(__file__).resolve().parents[2] / "conf")
QUIET = ["hydra.run.dir=run", "hydra/job_logging=none", "hydra/hydra_logging=none"]
"""Logging that is configured anew closes every handler, and absl's closes the stream that pytest captures."""


def image_folders(folder: Path) -> None:
    for split in ("train", "test"):
        for number, word in enumerate(("happy", "sad")):
            (folder / split / word).mkdir(parents=True)
            cv2.imwrite(str(folder / split / word / "1.png"), np.full((48, 48), number * 40 + 9, np.uint8))


@pytest.mark.filterwarnings("ignore:.*image folders")
def test_fer2013_without_publictest_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    image_folders(tmp_path / "data/fer2013")
    monkeypatch.setattr(sys, "argv", ["prepare.py", "--shared", str(tmp_path), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as end:
        prepare.main()
    told = capfd.readouterr().err
    assert end.value.code == 2 and "has no pictures of PublicTest" in told and "data=folder data.root=" in told
    assert "Traceback" not in told


def test_preparing_nothing_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for only, words in (("fer2013", "No FER2013 in"), ("lfw", "--shared FOLDER"), ("blendshapes", "blendshapes")):
        monkeypatch.setattr(
            sys, "argv", ["prepare.py", "--shared", str(tmp_path), "--out", str(tmp_path), "--only", only]
        )
        try:
            prepare.main()
        except SystemExit as end:
            assert end.code == 2
        told = capfd.readouterr()
        assert words in told.err + told.out and "Traceback" not in told.err


class Runs:
    """A protocol that writes down what it was run with."""

    def __init__(self, seen: list[Context], fails: bool = False) -> None:
        self.seen, self.fails = seen, fails

    def run(self, context: Context) -> Report:
        if self.fails:
            raise UsageError("too few pictures")
        self.seen.append(context)
        return Report("it", "Q", "H", {}, [Table("T", [{"n": len(context.pictures("own", ()))}])])


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Runs evaluate.py with the words of a line; returns the contexts and what was printed."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for place in ("my faces/asha/happy", "my faces/bo/sad", "my faces/-cem/sad", "flat/happy", "flat/sad"):
        Path(place).mkdir(parents=True)
        cv2.imwrite(f"{place}/1.png", rng.integers(0, 255, (9, 9, 3), dtype=np.uint8))
    monkeypatch.setattr(Report, "text", lambda self, context: context.command)
    monkeypatch.setattr(Report, "write", lambda self, folder, context: folder)

    def run(*words: str, fails: tuple[str, ...] = ()) -> tuple[list[Context], str, int]:
        seen: list[Context] = []
        made = {name: Runs(seen, name in fails) for name in ("enrollment", "episodes")}
        monkeypatch.setattr(evaluate, "parts_of", lambda group: made if "enrollment" in group else {"": Runs(seen)})
        monkeypatch.setattr(sys, "argv", ["evaluate.py", "--config-path", CONF, *words, *QUIET])
        code = 0
        try:
            evaluate.main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capfd.readouterr()
        return seen, told.out + told.err, code

    return run


def test_own_pictures_with_a_line_that_repeats_it(ran) -> None:
    words = ["protocol=own", "own=my faces", "outputs=made", "seed=3", "protocol.episodes.shots=[1,2]"]
    seen, told, code = ran(*words)
    assert code == 0 and len(seen) == 2 and "'-cem'" in told
    line = shlex.split(seen[0].command)
    assert line[:2] == ["python", "experiments/evaluate.py"] and line[2:] == words
    assert len(seen[0].pictures("own", ())) == 2


def test_one_protocol_that_cannot_be_run_does_not_stop_the_other(ran) -> None:
    seen, told, code = ran("protocol=own", "own=my faces", fails=("enrollment",))
    assert code == 0 and len(seen) == 1 and "Without the protocol enrollment: too few pictures" in told
    seen, told, code = ran("protocol=own", "own=my faces", fails=("enrollment", "episodes"))
    assert code == 2 and not seen and "Traceback" not in told


def test_own_pictures_without_subjects(ran) -> None:
    seen, told, code = ran("protocol=own", "own=flat")
    assert code == 0 and "is not known" in told
    assert len({picture.subject for picture in seen[0].pictures("own", ())}) == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["protocol=own"], "own=PATH"),  # the first protocol that asks for them
        (["protocol=own", "own=gone"], "No folder gone"),
        (["protocol=own", "own=my faces", "part=half"], "part=half is unknown"),
        (["protocol=own", "own=flat/happy"], "No known form"),
    ],
)
def test_own_pictures_that_are_not_there(ran, words: list[str], expected: str) -> None:
    _, told, code = ran(*words)
    assert code == 2 and expected in told and "Traceback" not in told
