"""Names from the labels of a call, in the service: for a lesson, for one picture, with the client and its commands."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.api.served import HAPPY, Running  # isort: skip

from drawn_faces import draw_photo

import fewshot
from fewshot.api import lesson as api_lesson
from fewshot.call_labels import tile_labels
from fewshot.call_labels.students import DISAGREE
from fewshot.call_labels.tile_labels import Text
from fewshot.classroom.store import ClassStore
from fewshot.client import client as client_module
from fewshot.errors import FewshotError, UsageError
from tests.api.test_api_client import clip, fewshot_at, picture_as_jpeg
from tests.api.test_api_stream import ASHA, Talk, frame, physics, talk

__all__ = ["frame", "physics", "talk"]
SECRET = "Zzyzx"


class Reader:
    """Reads the two squares of a frame by their place."""

    labels = ("Asha (Host)", f"Visitor {SECRET}")

    def read(self, frame: np.ndarray, boxes: list, wanted: list[int]) -> list[Text]:
        places = [float(boxes[number][0]) * 480 / frame.shape[1] for number in wanted]
        return [Text(self.labels[round((x - 20) / 150)], 0.99) for x in places]


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> type[Reader]:
    monkeypatch.setattr("fewshot.room.open_reader", Reader)
    monkeypatch.setattr(tile_labels, "EVERY", 0.05)
    monkeypatch.setattr(tile_labels, "APART", 0.0)
    monkeypatch.setattr(Reader, "labels", Reader.labels)
    return Reader


def named(talk: Talk, frame: bytes, wanted: list[str | None], frames: int = 60) -> dict[str, Any]:
    """Send frames until a moment has these names; the labels are read beside the lesson. Returns the last moment."""
    moment: dict[str, Any] = {}
    for number in range(frames):
        talk.say(type="frame", time=0.2 * (number + 1) + getattr(talk, "at", 0.0))
        talk.socket.send(frame)
        moment = talk.until("moment")
        if [face["student"] for face in moment["faces"]] == wanted:
            break
    talk.at = getattr(talk, "at", 0.0) + 0.2 * frames  # type: ignore[attr-defined]
    assert [face["student"] for face in moment["faces"]] == wanted
    return moment


def no_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """An identity vector of anybody is a fault from now on."""

    def refuse(*_: object) -> None:
        raise AssertionError("an identity vector was computed")

    monkeypatch.setattr("drawn_faces.DrawnEyes.identify", refuse)


def test_a_lesson_with_names_from_labels_recognises_no_face(
    physics: None, talk: Callable[..., Talk], frame: bytes, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    no_vectors(monkeypatch)
    found = talk().start(class_name="physics", names="labels")
    assert (found.ready["names"], found.ready["width"]) == ("labels", api_lesson.WIDTH_OF_LABELS)
    moment = named(found, frame, ["asha", None])
    assert [face["named_by"] for face in moment["faces"]] == ["label", None]
    assert (
        {face["identity_score"] for face in moment["faces"]} == {face["person"] for face in moment["faces"]} == {None}
    )
    assert SECRET not in json.dumps(moment) + caplog.text


def test_where_label_and_face_disagree_a_lesson_names_neither(
    physics: None, talk: Callable[..., Talk], frame: bytes, reader: type[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    ClassStore().rename_student("physics", "asha", "Asha")
    ClassStore().record_consent("physics", "Ben", ClassStore().roster("physics").students["Asha"].consent)
    monkeypatch.setattr(reader, "labels", ("Ben", "Visitor"))
    moment = named(talk().start(class_name="physics", names="both"), frame, [None, None])
    assert moment["faces"][0]["doubt"] == DISAGREE and "Ben" not in json.dumps(moment)


def test_off_by_default_and_a_given_name_of_two_students_is_nobodys(
    physics: None, talk: Callable[..., Talk], frame: bytes, reader: type[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = talk().start(class_name="physics")
    assert (found.ready["names"], found.ready["width"]) == ("faces", api_lesson.WIDTH)
    assert named(found, frame, ["asha", None])["faces"][0]["named_by"] == "face"
    store = ClassStore()
    store.rename_student("physics", "asha", "Asha Patel")
    store.record_consent("physics", "Asha Rao", store.roster("physics").students["Asha Patel"].consent)
    monkeypatch.setattr(reader, "labels", ("Asha", "Asha R."))
    named(talk().start(class_name="physics", names="labels"), frame, [None, "Asha Rao"])


def test_a_lesson_that_goes_on_elsewhere_still_recognises_no_face(
    physics: None, talk: Callable[..., Talk], frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = talk().start(class_name="physics", names="labels")
    named(found, frame, ["asha", None])
    no_vectors(monkeypatch)
    again = talk()
    again.say(type="resume", lesson=found.ready["lesson"], ticket=found.ready["ticket"])
    again.ready, again.at = again.until("ready"), 100.0  # type: ignore[attr-defined]
    assert again.ready["names"] == "labels"
    assert named(again, frame, ["asha", None])["faces"][0]["named_by"] == "label"
    bare = talk()
    bare.say(type="resume", lesson=found.ready["lesson"], ticket=found.ready["ticket"].rpartition(".")[2] + "x")
    assert "not the ticket" in bare.hear()["detail"]


def test_what_labels_need_is_said_and_nothing_is_recorded(
    physics: None, talk: Callable[..., Talk], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**asked: Any) -> str:
        one = talk()
        one.say(type="start", **asked)
        return str(one.hear()["detail"])

    assert "names of a class" in refused(names="labels")
    assert "names" in refused(class_name="physics", names="eyes")
    from fewshot.call_labels.reader import open_reader

    monkeypatch.setattr("fewshot.room.open_reader", open_reader)
    monkeypatch.setattr("fewshot.call_labels.reader.find_spec", lambda _name: None)
    said = refused(class_name="physics", names="labels")
    assert "rapidocr, which is not installed" in said and "pip" not in said
    from fewshot.session.lessons import LessonStore

    assert LessonStore().lessons() == []


def test_one_picture(served: Running, physics: None, frame: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = served.caller("analyze", "read")
    asked = {"class_id": caller.get("/classes")[0]["id"], "names": "labels"}
    no_vectors(monkeypatch)
    found = caller.ok("POST", "/pictures", files={"picture": ("x", frame)}, data=asked)
    assert [(face["student"], face["named_by"]) for face in found["faces"]] == [("asha", "label"), (None, None)]
    assert SECRET not in json.dumps(found)
    caller.problem("POST", "/pictures", 422, files={"picture": ("x", frame)}, data={**asked, "names": "eyes"})
    assert "names of a class" in caller.problem(
        "POST", "/pictures", 422, files={"picture": ("x", frame)}, data={"names": "both"}
    )
    schemas = caller.get("/openapi.json")["components"]["schemas"]
    form = next(schema for name, schema in schemas.items() if "read_picture" in name)["properties"]["names"]
    kinds = schemas[form["$ref"].rpartition("/")[2]] if "$ref" in form else form
    assert kinds["enum"] == ["faces", "both", "labels"] and form.get("default", "faces") == "faces"


def test_the_client_and_its_commands(
    served: Running, physics: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = draw_photo(tmp_path / "x.png", {ASHA: 100, 5: 90}, HAPPY, 3)
    no_vectors(monkeypatch)
    with fewshot.Client(served.url, str(served.caller().token)) as client:
        readings = client.read(picture, "physics", names="labels").readings
        assert [(one.student, one.named_by) for one in readings] == [("asha", "label"), (None, "")]
        with client.lesson("physics", names="labels") as lesson:
            for number in range(60):
                moment = lesson.wait(lesson.send(picture_as_jpeg(picture), 0.2 * number))
                if moment["faces"][0]["student"]:
                    break
            assert moment["faces"][0]["named_by"] == "label"
        with pytest.raises(UsageError, match="names of a class"):
            client.read(picture, names="labels")
    out = tmp_path / "out.jsonl"
    words = ("--class", "physics", "--names", "labels", "--jsonl", out)
    for source in (picture, clip(tmp_path / "lesson.avi", 30)):
        result = fewshot_at(served, monkeypatch, "analyze", source, *words)
        assert result.exit_code == 0, result.output
        last = json.loads(out.read_text().splitlines()[-1])
        assert [face["identity_score"] for face in last["faces"]] == [None, None]
        assert SECRET not in result.output + out.read_text()
    assert "Give one" in fewshot_at(served, monkeypatch, "analyze", picture, "--names", "labels").output


def test_a_service_that_does_not_know_the_option_is_found_out(
    served: Running, physics: None, frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fewshot.Client(served.url, str(served.caller().token)) as client:
        monkeypatch.setattr(client_module, "_said", lambda _names: {})  # as if the service ignored it
        with pytest.raises(FewshotError, match="older than this option"):
            client.read(frame, "physics", names="labels")
