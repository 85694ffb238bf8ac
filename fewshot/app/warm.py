"""Loads what the other pages need while the teacher reads the first one."""

from __future__ import annotations

import contextlib
import threading
import time
from importlib import import_module

from fewshot.errors import FewshotError

_HEAVY = (
    "fewshot.app.sample",
    "fewshot.app.views.live",
    "fewshot.app.views.report",
    "fewshot.app.setups",
    "fewshot.app.views.classes",
    "fewshot.app.views.enroll",
)
# Not streamlit_webrtc: its component registers itself with the page that runs while it is imported.
_PAUSE = 1.5
"""Seconds of delay in which the first page has the processor for itself."""
_started = threading.Event()


def warm_up() -> None:
    """Start loading, once per process. If something cannot be loaded, the page that needs it says why."""
    if not _started.is_set():
        _started.set()
        threading.Thread(target=_load, name="fewshot warm-up", daemon=True).start()


def _load() -> None:
    time.sleep(_PAUSE)
    for name in _HEAVY:
        with contextlib.suppress(Exception):
            import_module(name)
    with contextlib.suppress(FewshotError):  # every page reports a store that cannot be read
        _finish_sample()


def _finish_sample() -> None:
    """Write the sample classes' earlier lessons that a killed program left unwritten, those of every teacher."""
    from fewshot.app.sample_past import tell_past_meanwhile
    from fewshot.classroom.owners import Owners

    for owner in Owners().all():
        if owner.teaches:
            tell_past_meanwhile(owner)
