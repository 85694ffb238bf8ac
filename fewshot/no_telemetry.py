"""Keeps the libraries below this package from reporting to their makers, and their own lines out of our logs.

``import fewshot`` calls ``switch_off`` and ``quieten`` first of all, so they cover the command line, the app, the
library and the scripts in experiments/. A program of your own must import fewshot before onnxruntime and openvino,
which report as soon as they are imported.
"""

from __future__ import annotations

import logging
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
    # MLflow takes only the word "true" for a yes, and Weights & Biases reports its errors also in an offline run.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WANDB_ERROR_REPORTING": "false",
}
"""Environment variables that are set, also for child processes; a value from outside is replaced."""

BLOCKED = ("openvino_telemetry",)
"""Packages that cannot be imported any more. OpenVINO sends an event on import, and writes a client number into the
home folder, unless this package is missing; it has no other switch that needs no file in the home folder."""

QUIET = (
    "faiss", "onnx_ir", "onnxscript", "onnxruntime", "alembic", "matplotlib", "PIL", "fontTools", "fpdf", "numexpr",
    "aiortc", "aioice", "watchdog", "urllib3", "absl", "h5py",
)  # fmt: skip
"""Loggers of libraries that report how they load ("Could not load library with AVX2 support") and what they do inside.
Their warnings and errors are still logged."""


def quieten() -> None:
    """Let the loggers in ``QUIET`` log warnings and errors only. A level that a program has set before stays."""
    for name in QUIET:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


def switch_off() -> None:
    """Set ``SWITCHES`` and block ``BLOCKED``. Costs microseconds, and imports nothing."""
    os.environ.update(SWITCHES)
    for name in BLOCKED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how Python marks a module as not importable
