"""A deprecated call of our own is an error here; what other packages do among themselves is not."""

from __future__ import annotations

import warnings

import pytest


def warn_in(module: str) -> None:
    warnings.warn_explicit("will go", DeprecationWarning, "file.py", 1, module=module)


@pytest.mark.parametrize("module", ["fewshot", "fewshot.session.lessons", "experiments.train", "test_room", "conftest"])
def test_our_own_lines_may_call_nothing_deprecated(module: str) -> None:
    with pytest.raises(DeprecationWarning, match="will go"):
        warn_in(module)


@pytest.mark.parametrize("module", ["torch.onnx", "fewshotlearning", "testing"])
def test_other_packages_may(module: str) -> None:
    warn_in(module)
