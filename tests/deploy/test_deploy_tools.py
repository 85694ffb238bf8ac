"""The files in ``deploy/``, read by the tools that know them; each tool must find a planted error too.

A tool that is not installed skips its test. All of them, slow ones too: ``python .ci/deploy_check.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from deploy_check import CHECKS, DEPLOY, Check, find, planted, run

SLOW = ("checkov", "sky-python")
QUICK = [
    check
    for check in CHECKS
    if check.tool not in SLOW
    and (check.tool != "kubernetes-validate" or check.file.endswith(("deployment.yaml", "rayservice.yaml")))
]
"""Each start of kubernetes-validate takes seconds, so two manifests stand for all."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.tool}-{check.file}")
def test_every_planted_error_is_a_change(check: Check, tmp_path: Path) -> None:
    """Otherwise a tool would be blamed for not finding what is not there."""
    assert planted(check, tmp_path).read_text() != (DEPLOY / check.file).read_text()


@pytest.mark.parametrize("check", QUICK, ids=lambda check: f"{check.tool}-{check.file}")
def test_the_tool_finds_the_planted_error_and_nothing_else(check: Check, tmp_path: Path) -> None:
    if find(check.tool) is None:
        pytest.skip(f"{check.tool} is not installed ({check.package})")
    status, said = run(check.words, planted(check, tmp_path))
    assert status != 0, said
    status, said = run(check.words, DEPLOY / check.file)
    assert status == 0, said
