"""Lines of libraries that nobody asked for stay out of every log, and their warnings do not."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from fewshot.no_telemetry import QUIET, quieten


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_no_line_about_how_libraries_load(level: str) -> None:
    script = f"""
import logging
logging.basicConfig(level="{level}", format="%(name)s %(message)s")
import fewshot, faiss, fewshot.room
logging.getLogger("faiss.loader").warning("a warning stays")
logging.getLogger("mine").info("my own line")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.split(".")[0].split()[0] in QUIET]
    assert lines == ["faiss.loader a warning stays"] and "my own line" in done.stderr


def test_a_level_that_a_program_has_set_stays() -> None:
    logger = logging.getLogger("faiss")
    before = logger.level
    try:
        logger.setLevel(logging.DEBUG)
        quieten()
        assert logger.level == logging.DEBUG
        logger.setLevel(logging.NOTSET)
        quieten()
        assert logger.level == logging.WARNING
    finally:
        logger.setLevel(before)


def test_a_photo_with_damaged_exif_is_read_without_a_line_of_pillow(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0\x01"  # it ends in the middle of a field
    Image.new("RGB", (64, 48), "white").save(tmp_path / "photo.jpg", exif=exif)
    script = "import sys; from fewshot.pictures import read_picture; print(read_picture(sys.argv[1]).shape)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "photo.jpg")], capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("(48, 64, 3)", "")
