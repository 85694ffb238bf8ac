"""Keeps the libraries below this package from reporting to their makers.

``import fewshot`` calls ``switch_off`` first of all, so it covers the command line, the app, the library and the
scripts in experiments/. A program of your own must import fewshot before onnxruntime and openvino, which report as soon
as they are imported.
"""

from __future__ import annotations

import os
import sys

SWITCHES = {
    # Since 1.31 it writes a device number and a queue of events into the user's cache folder, and sends them.
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Older releases of InsightFace import albumentations, which asks PyPI for its newest version.
    "NO_ALBUMENTATIONS_UPDATE": "1",
    # https://consoledonottrack.com: read by Hugging Face and others.
    "DO_NOT_TRACK": "1",
}
"""Environment variables that are set, also for child processes; a value from outside is replaced."""

BLOCKED = ("openvino_telemetry",)
"""Packages that cannot be imported any more. OpenVINO sends an event on import, and writes a client number into the
home folder, unless this package is missing; it has no other switch that needs no file in the home folder."""


def switch_off() -> None:
    """Set ``SWITCHES`` and block ``BLOCKED``. Costs microseconds, and imports nothing."""
    os.environ.update(SWITCHES)
    for name in BLOCKED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how Python marks a module as not importable
