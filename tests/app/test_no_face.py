"""Pictures come, and nobody is in them."""

from __future__ import annotations

import pytest

from fewshot.app.no_face import AFTER, NoFace
from fewshot.types import FrameResult
from tests.app.test_lesson import step_of


def empty(second: float) -> FrameResult:
    from dataclasses import replace

    return replace(step_of(second).result, readings=())


@pytest.mark.parametrize(("call", "words"), [(True, "gallery view"), (False, "enough light")])
def test_after_a_while_without_a_face_the_teacher_is_asked(call: bool, words: str) -> None:
    watch = NoFace(call)
    assert watch.words is None
    watch.write(empty(0.0))
    watch.write(empty(AFTER - 0.1))
    assert watch.words is None
    watch.write(empty(AFTER))
    assert words in str(watch.words)
    watch.write(step_of(AFTER + 1).result)
    assert watch.words is None
    watch.write(empty(AFTER + 2))
    assert watch.words is None
