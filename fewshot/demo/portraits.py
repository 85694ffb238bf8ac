"""Real photographs that may be shown: twelve people of the Face Research Lab London Set, neutral and smiling."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

from fewshot.errors import FewshotError
from fewshot.translation import later
from fewshot.types import Frame

PORTRAITS = tuple(f"P{number:02}" for number in range(1, 13))
"""The people. They have codes: nobody needs their names, and the set has none."""
STATES = ("neutral", "happy")
"""What the photographs show; nothing else may be said to be right for them."""
WIDTH, HEIGHT = 320, 240
"""Pixels of one portrait."""
CONSENT = "sample photographs: signed consent to illustrate research"
CREDIT = later(
    "Photographs: Face Research Lab London Set by Lisa DeBruine and Benedict Jones (2017), figshare, "
    "doi 10.6084/m9.figshare.5047666, licence CC BY 4.0. Changed: cut, reduced, blended and moved."
)
"""Stands wherever one of these faces is shown."""
MISSED = ("P03", "P08")
"""Whose smile the network does not call happy until a teacher corrects it (experiments/results/portraits.md)."""
SHEET = "portraits.jpg"
"""Beside this file: a row of neutral portraits above a row of smiling ones, in the order of ``PORTRAITS``."""


@cache
def portraits() -> dict[tuple[str, str], Frame]:
    """(person, state) -> portrait, BGR, shape (240, 320, 3). Read once.

    Raises:
        FewshotError: the installed package does not contain them.
    """
    asset = files(__package__).joinpath(SHEET)
    sheet = cv2.imdecode(np.frombuffer(asset.read_bytes(), np.uint8), cv2.IMREAD_COLOR) if asset.is_file() else None
    if sheet is None:
        raise FewshotError("The sample photographs are missing from the installed package. Install fewshot again.")
    found = {}
    for row, state in enumerate(STATES):
        for column, person in enumerate(PORTRAITS):
            top, left = row * HEIGHT, column * WIDTH
            found[person, state] = np.ascontiguousarray(sheet[top : top + HEIGHT, left : left + WIDTH])
    return found


def neutral_photos(folder: Path) -> None:
    """Write FOLDER/<person>/neutral/1.jpg for everybody: the one photo each person is enrolled with."""
    for person in PORTRAITS:
        target = folder / person / "neutral"
        target.mkdir(parents=True, exist_ok=True)
        (target / "1.jpg").write_bytes(_jpeg(portraits()[person, "neutral"], 95))


@cache
def thumbnails(size: int = 48) -> dict[str, bytes]:
    """Person -> the neutral face as a square JPEG of ``size`` pixels, for tiles."""
    side = round(0.72 * HEIGHT)
    top, left = round(0.1 * HEIGHT), (WIDTH - side) // 2
    small = {}
    for person in PORTRAITS:
        face = portraits()[person, "neutral"][top : top + side, left : left + side]
        small[person] = _jpeg(cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA), 80)  # type: ignore[arg-type]
    return small


def _jpeg(picture: Frame, quality: int) -> bytes:
    ok, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise FewshotError("OpenCV cannot write JPEG pictures here. Install opencv-python again.")
    return encoded.tobytes()
