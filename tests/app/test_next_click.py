"""The same error on the command line and in the app: there a command, here a click."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fewshot.app.next_click import in_the_app
from fewshot.classroom.class_rows import no_such_class
from fewshot.classroom.consent import make_consent
from fewshot.classroom.folder import no_consent
from fewshot.embedding.runtime import _eight_bits_instead
from fewshot.errors import FewshotError
from fewshot.models.files import REGISTRY, Check, resolve
from fewshot.perception import open_perception
from fewshot.session.lessons import LessonStore


@pytest.fixture(autouse=True)
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path))
    monkeypatch.delenv("FEWSHOT_SHARED", raising=False)


def raised(act: Callable[[], object]) -> FewshotError:
    with pytest.raises(FewshotError) as caught:
        act()
    return caught.value


@pytest.mark.parametrize(
    ("make", "command", "click"),
    [
        (lambda: no_such_class("maths", ["physics"]), "fewshot enroll maths", "page Class"),
        (lambda: no_consent("maths", "photos"), "fewshot enroll maths photos --consent-by", "“Consent given by”"),
        (lambda: raised(lambda: make_consent(" ")), "--consent-by", "“Consent given by”"),
        (lambda: raised(lambda: LessonStore().load(7)), "fewshot lessons", "page Report"),
        (
            lambda: raised(lambda: resolve("yunet", download=False)),
            "fewshot models pull",
            "“Download the missing models”",
        ),
    ],
)
def test_the_command_becomes_a_click(make: Callable[[], FewshotError], command: str, click: str) -> None:
    error = make()
    assert command in str(error) and click in in_the_app(error)
    assert "fewshot " not in in_the_app(error) and "--" not in in_the_app(error)


def test_a_weaker_model_is_a_note_with_a_click() -> None:
    notes = [*open_perception("auto", download=False).notes, _eight_bits_instead("cuda")]
    assert ["detector" in note.text for note in notes] == [True, False, False] and "recogniser" in notes[1].text
    for note in notes:
        assert "fewshot models" in str(note) and "fewshot " not in in_the_app(note)
        assert "Settings → Models" in in_the_app(note)


def test_a_click_that_is_named_is_on_the_page() -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    from fewshot.app.views.settings import DOWNLOAD

    assert f"“{DOWNLOAD}”" in in_the_app(raised(lambda: resolve("yunet", download=False)))


@pytest.mark.parametrize(
    ("model", "path", "words"),
    [
        ("yunet", None, "click “Download the missing models” below"),
        ("expression_fp32", None, "not part of this installation"),
        ("expression", None, "install fewshot again"),
        ("yunet", Path("yunet.onnx"), "yunet.onnx is damaged"),
    ],
)
def test_a_model_that_is_missing_says_what_to_click(model: str, path: Path | None, words: str) -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    from fewshot.app.views.settings import _here

    told = _here(Check(REGISTRY[model], "missing", path, False, "Run `fewshot models pull`."))
    assert words in told and "fewshot models" not in told
