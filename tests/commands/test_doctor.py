"""What the doctor says about the engine and the model files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.access.safety import Safety
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.commands import doctor
from fewshot.embedding import runtime
from fewshot.inference.onnx import Choice
from fewshot.models import files
from fewshot.models.files import Check
from fewshot.models.registry import REGISTRY


@pytest.mark.parametrize(
    ("engine", "state", "text"),
    [
        ("onnxruntime", "ok", "onnxruntime, because FEWSHOT_ENGINE requests it"),
        ("abacus", "problem", "no engine called 'abacus'"),
        ("coreml", "problem", "needs a Mac"),
    ],
)
def test_the_doctor_says_what_runs_the_networks_and_why(
    engine: str, state: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    monkeypatch.setenv("FEWSHOT_ENGINE", engine)
    finding = doctor._engine()
    assert (finding.what, finding.state) == ("Engine", state) and text in finding.text
    assert bool(finding.advice) == (state == "problem")


@pytest.mark.parametrize(
    ("content", "state", "text"), [(None, "ok", "only graphics cards use it"), (b"half of it", "warning", "damaged")]
)
def test_the_file_for_graphics_cards_is_no_loss_to_others(
    content: bytes | None, state: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "REPOSITORY_WEIGHTS", tmp_path)
    if content is not None:
        (tmp_path / "expression_fp32.onnx").write_bytes(content)
    finding = next(finding for finding in doctor._models() if finding.what == "Model expression_fp32")
    assert finding.state == state and text in finding.text


@pytest.mark.parametrize(("classes", "said"), [((), "0 classes"), (("physics",), "1 class"), (("a", "b"), "2 classes")])
def test_classes_are_counted_in_words(classes: tuple[str, ...], said: str) -> None:
    for name in classes:
        ClassStore().create(name)
    assert doctor._database().text.endswith(f", {said}")


def test_whoever_needs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = runtime.open_session
    monkeypatch.setattr(files, "REPOSITORY_WEIGHTS", tmp_path)
    monkeypatch.setattr(runtime, "choose_engine", lambda engine="auto": Choice("cuda", "it was asked for"))
    monkeypatch.setattr(runtime, "open_session", lambda path, *_, **__: really_open(path, 1, "onnxruntime"))
    finding = doctor._engine()
    assert finding.state == "warning" and "8-bit network" in finding.advice


@pytest.mark.parametrize(
    ("path", "state", "advice"),
    [
        (None, "warning", "To get better results, type: fewshot models pull. Without it a weaker model is used."),
        (Path("x.onnx"), "problem", "Delete x.onnx, then type: fewshot models pull"),
    ],
)
def test_a_damaged_detector_is_a_problem_and_a_missing_one_is_not(
    path: Path | None, state: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing takes the place of a damaged file: a run would stop."""
    found = Check(REGISTRY["scrfd_500m"], "home", path, False, "damaged")
    monkeypatch.setattr(doctor, "list_models", lambda: [found])
    (finding,) = doctor._models()
    assert (finding.state, finding.advice) == (state, advice)


def test_the_doctor_names_managed_backups_that_are_not_up_to_date(tmp_path: Path) -> None:
    assert doctor._backups().text == "nothing is stored yet"
    ClassStore().create("physics")
    ClassStore().record_consent("physics", "asha", make_consent("her mother"))
    assert doctor._backups().state == "warning" and "fewshot backup FILE" in doctor._backups().advice
    safety = Safety.here()
    safety.export(tmp_path / "recovery.json", "five words that differ much")
    (tmp_path / "usb").mkdir()
    backup = safety.manage(tmp_path / "usb").file
    assert doctor._backups().state == "ok" and "1 managed backup, written" in doctor._backups().text
    backup.unlink()
    ClassStore().remove_student("physics", "asha")
    finding = doctor._backups()
    assert finding.state == "warning" and str(backup) in finding.advice and "Connect its disk" in finding.advice
