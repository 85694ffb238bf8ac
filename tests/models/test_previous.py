"""Classes that were enrolled with the network of the version before go on with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawn_faces import DrawnEyes, draw_photo, see_drawings

from fewshot.classroom.recognition import PREVIOUS, previous_network, previous_note
from fewshot.embedding.runtime import Embedder
from fewshot.models.files import WEIGHTS, resolve
from fewshot.prototypes.population import Population
from fewshot.room import Classroom

ASHA, HAPPY, NEUTRAL = 1, 3, 6


def test_the_previous_network_is_another_one_and_has_its_population() -> None:
    path = resolve(PREVIOUS, download=False)
    before, now = Embedder(path, engine="onnxruntime"), Embedder(WEIGHTS / "expression.onnx", engine="onnxruntime")
    assert before.network != now.network
    assert Population.load(path.with_suffix(".json")).network == before.network
    assert previous_network(before.network) == path
    assert previous_network(now.network) is None and previous_network("") is None
    # Who was enrolled without the face recogniser is recognised by the same vectors.
    assert before.identity_network == now.identity_network


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """The network of every chain that a class opens."""
    networks: list[Path | None] = []
    see_drawings(monkeypatch)

    def open_perception(*_: object, network: Path | None = None, **__: object) -> DrawnEyes:
        networks.append(network)
        return DrawnEyes()

    monkeypatch.setattr("fewshot.class_models.open_perception", open_perception)
    return networks


def enrolled(folder: Path) -> Classroom:
    for emotion, number, word in ((HAPPY, 1, "happy"), (NEUTRAL, 2, "neutral")):
        draw_photo(folder / f"asha/{word}/{number}.png", {ASHA: 100}, emotion=emotion, seed=number)
    room = Classroom.open("physics")
    room.enroll_folder(folder, consent_by="her mother")
    return room


def test_a_class_goes_on_with_the_network_that_enrolled_it(
    opened: list[Path | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    room = enrolled(tmp_path / "photos")
    assert opened == [None] and room.perception.notes == ()
    monkeypatch.setattr("fewshot.classroom.recognition._previous", lambda: DrawnEyes.network)
    again = Classroom.open("physics")
    assert again.students == ["asha"] and len(again.prototypes("asha")) == 7
    assert opened == [None, resolve(PREVIOUS)]
    (note,) = again.perception.notes
    assert note == previous_note("physics")
    assert "goes on with it" in note.text and "fewshot enroll physics PHOTOS" in note.hint
    # A network that was asked for by name is used whatever enrolled the class.
    own = WEIGHTS / "expression.onnx"
    Classroom.open("physics", network=own).prototypes()
    assert opened[-1] == own


def test_a_class_that_is_enrolled_again_has_the_new_network(
    opened: list[Path | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enrolled(tmp_path / "photos")
    monkeypatch.setattr("fewshot.classroom.recognition._previous", lambda: DrawnEyes.network)
    room = Classroom.open("physics")
    room.prototypes()
    room.remove("asha")
    room.enroll_folder(tmp_path / "photos", consent_by="her mother")
    assert opened == [None, resolve(PREVIOUS), None]
