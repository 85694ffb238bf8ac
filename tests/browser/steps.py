"""What several browser tests do; the steps themselves are shared with the measurements."""

from fewshot.research.bench.browser_steps import (
    CAMERA,
    IN_VIEW,
    camera_film,
    choose_source,
    enroll_chosen,
    make_class,
    share_window,
    start_lesson,
    stop_lesson,
    wait_in_view,
)

__all__ = [
    "CAMERA",
    "IN_VIEW",
    "camera_film",
    "choose_source",
    "enroll_chosen",
    "make_class",
    "share_window",
    "start_lesson",
    "stop_lesson",
    "wait_in_view",
]
