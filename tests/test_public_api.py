"""What ``from fewshot import ...`` offers, and a network of one's own through all of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_faces import draw_photo, see_drawings

import fewshot
from fewshot import Classroom, Face, FewshotError, FrameResult, Reading, open_source
from fewshot.classroom.store import class_names
from fewshot.errors import StoreError, UsageError
from fewshot.loops import make_loop, open_population
from fewshot.models.files import resolve
from fewshot.perception import open_perception
from fewshot.prototypes.population import Population
from fewshot.types import EMOTIONS

ASHA, HAPPY, NEUTRAL = 1, 3, 6


def test_the_names_are_there_and_cost_nothing_until_they_are_used() -> None:
    assert {Face, FewshotError, FrameResult, Reading, Classroom} and callable(open_source)
    assert set(fewshot.__all__) <= set(dir(fewshot))
    with pytest.raises(AttributeError, match="no attribute 'Klassroom'"):
        fewshot.Klassroom  # noqa: B018
    script = "import sys, fewshot; fewshot.Reading; print(sorted({'cv2', 'faiss', 'onnxruntime'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def enrolled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Classroom:
    see_drawings(monkeypatch)
    for emotion, number, word in ((HAPPY, 1, "happy"), (NEUTRAL, 2, "neutral"), (4, 3, "confused")):
        draw_photo(tmp_path / f"photos/asha/{word}/{number}.png", {ASHA: 100}, emotion=emotion, seed=number)
    room = Classroom.open("physics")
    room.enroll_folder(tmp_path / "photos", consent_by="her mother")
    return room


def test_a_path_still_opens_a_folder_and_says_what_to_write_instead(enrolled: Classroom, tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="in_folder"):
        old = Classroom(tmp_path / "physics")
    assert old.students == [] and Classroom.in_folder(tmp_path / "physics").students == []
    assert Classroom("physics").students == Classroom.open("physics").students == ["asha"]
    assert class_names() == ["physics"]


def test_a_folder_may_be_a_word_or_the_one_we_are_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chemistry").mkdir()
    monkeypatch.chdir(tmp_path / "chemistry")
    assert Classroom.in_folder(".").name == Classroom.in_folder(str(tmp_path / "chemistry")).name == "chemistry"


def test_prototypes_as_arrays(enrolled: Classroom) -> None:
    table = enrolled.prototypes("asha")
    assert set(table.students) == {"asha"} and table.labels == [*EMOTIONS, "confused"]
    assert table.vectors.shape == (8, 8) and table.vectors.dtype == np.float32
    assert dict(zip(table.labels, table.shots.tolist(), strict=True))["happy"] == 1
    levels = dict(zip(table.labels, table.levels, strict=True))
    # A single photo of an emotion says little beside what is known of everybody; a state of one's own has nothing else.
    assert levels["confused"] == "personal" and set(table.levels) <= {"class", "personal"} and len(table) == 8
    np.testing.assert_allclose(np.diag(table.distances), 0, atol=1e-6)
    expected = ((table.vectors[:, None] - table.vectors[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(table.distances, expected, atol=1e-5)
    face = np.eye(8, dtype=np.float32)[[HAPPY]]
    assert table.labels[table.distances_to(face)[0].argmin()] in {"happy", "confused"}
    everything = enrolled.prototypes()
    assert len(everything) == 15 and everything.students.count(None) == 7


def test_prototypes_as_a_data_frame(enrolled: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    frame = enrolled.prototypes("asha").to_pandas()
    assert isinstance(frame, pandas.DataFrame) and list(frame.columns[:4]) == ["student", "label", "shots", "level"]
    np.testing.assert_array_equal(frame.filter(regex="^v").to_numpy(), enrolled.prototypes("asha").vectors)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        enrolled.prototypes("asha").to_pandas()


def test_prototypes_of_nobody(enrolled: Classroom) -> None:
    with pytest.raises(UsageError, match="zoe"):
        enrolled.prototypes("zoe")
    with pytest.raises(UsageError, match="maths"):
        Classroom.open("maths").prototypes()
    empty = Classroom.open("maths")
    empty.create()
    assert set(empty.prototypes().levels) == {"population"}


# -- a network of one's own: the shipped one under another name, so that vectors are the same and stores are not


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The shipped network with another fingerprint, its population beside it."""
    onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")
    folder = tmp_path / "my network"
    folder.mkdir()
    for name in ("expression", "identity"):
        model = onnx.load(str(resolve(name)))
        for entry in model.metadata_props:
            if entry.key == "network":
                entry.value = "mine-1"
        onnx.save(model, str(folder / f"{name}.onnx"))
    text = resolve("expression").with_suffix(".json").read_text(encoding="utf-8")
    shipped = Population.from_json(text).network
    (folder / "expression.json").write_text(text.replace(shipped, "mine-1"), encoding="utf-8")
    return folder / "expression.onnx"


def test_a_network_of_ones_own_through_class_and_loop(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Classroom.open("physics", network=own, detector="cascade", download=False)
    assert (room.perception.network, room.population.network) == ("mine-1", "mine-1")
    monkeypatch.setenv("FEWSHOT_NETWORK", str(own))
    assert open_population().network == "mine-1"
    assert open_perception("cascade", download=False).network == "mine-1"
    assert Classroom.open("physics", detector="cascade", download=False).perception.network == "mine-1"


def test_a_store_of_another_network_is_refused(own: Path, tmp_path: Path) -> None:
    from fewshot.demo.sample import enrollment_photos, sample_picture

    enrollment_photos(sample_picture(), tmp_path / "photos")
    mine = Classroom.open("physics", network=own, detector="cascade", download=False)
    assert mine.enroll_folder(tmp_path / "photos", consent_by="sample picture").standing
    assert len(list(mine.watch([sample_picture()]))) == 1
    with pytest.raises(StoreError, match="mine-1"):
        Classroom.open("physics", detector="cascade", download=False).watch([sample_picture()])


def test_a_network_without_its_population_or_with_another_ones(own: Path, tmp_path: Path) -> None:
    perception = open_perception("cascade", download=False, network=own)
    shutil.copy(resolve("expression").with_suffix(".json"), own.with_suffix(".json"))
    with pytest.raises(StoreError, match=r"mine-1.*population\.py"):
        make_loop(perception, network=own)
    own.with_suffix(".json").unlink()
    with pytest.raises(UsageError, match=r"no file .*expression\.json"):
        make_loop(perception, network=own)
    with pytest.raises(UsageError, match=r"no file .*typo\.onnx"):
        Classroom.open("physics", network=tmp_path / "typo.onnx")


def test_the_command_line_takes_it_everywhere(own: Path, tmp_path: Path) -> None:
    from fewshot.demo.sample import enrollment_photos, sample_picture

    def run(*words: object, code: int = 0) -> str:
        command = [sys.executable, "-m", "fewshot", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    import cv2

    picture = tmp_path / "six people.png"
    cv2.imwrite(str(picture), sample_picture())
    enrollment_photos(sample_picture(), tmp_path / "photos")
    options = ("--detector", "cascade", "--offline", "--network", own)
    run("enroll", "physics", tmp_path / "photos", "--consent-by", "sample picture", *options)
    run("analyze", picture, "--class", "physics", "--jsonl", tmp_path / "out.jsonl", *options)
    run("embed", picture, "--out", tmp_path / "out.npz", *options)
    with np.load(tmp_path / "out.npz") as written:
        assert str(written["network"]) == "mine-1"
    assert "mine-1" in run("analyze", picture, "--class", "physics", *options[:3], code=1)
    assert "no file" in run("live", "--network", tmp_path / "typo.onnx", "--source", picture, code=2).lower()


def test_a_detector_of_ones_own(own: Path) -> None:
    from fewshot.faces.open_detector import open_detector

    mine = open_detector("cascade", download=False)
    assert Classroom.open("physics", detector=mine, network=own, download=False).perception.detector.inner is mine
