"""What the doctor says about the engine."""

from __future__ import annotations

import pytest

from fewshot.commands import doctor


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
