"""What counts as readable, and that every reason names its numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fewshot.faces.align import EXPRESSION_TEMPLATE
from fewshot.faces.detections import Detections
from fewshot.faces.light import CONTRAST, face_levels, in_good_light
from fewshot.faces.quality import ENROLLMENT_LIMITS, LIVE_LIMITS, Limits, assess, head_pose, sharpness
from fewshot.types import Quality

HEAD = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.545, 0.4], [-0.405, 1.03, 0.1], [0.405, 1.03, 0.1]])


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Landmarks of a head turned by these degrees, 60 pixels between the eyes."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]]
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    points = HEAD @ (np.array(about_z) @ np.array(about_x) @ np.array(about_y)).T
    return (points[:, :2] * 60 + 150).astype(np.float32)


def pattern(blur: float = 0.0) -> np.ndarray:
    """A crop with edges of every size, blurred by a Gaussian of ``blur`` pixels; shape (1, 112, 112)."""
    grey = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    large = cv2.resize(grey, (112, 112), interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), blur) if blur else large
    return large[None]


def stretched(crop: np.ndarray) -> np.ndarray:
    """With its full range of grey levels."""
    return cv2.normalize(crop[0], None, 0, 255, cv2.NORM_MINMAX)[None]


def judged(
    crop: np.ndarray, size: float = 100, landmarks: np.ndarray | None = None, limits: Limits = LIVE_LIMITS
) -> Quality:
    points = EXPRESSION_TEMPLATE + 100 if landmarks is None else landmarks
    box = np.array([[100, 100, 100 + size, 100 + 1.2 * size]], np.float32)
    return assess((400, 400, 3), Detections(box, np.ones(1, np.float32), points[None]), crop, limits)[0]


def test_no_face_no_judgement() -> None:
    nothing = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
    assert assess((10, 10, 3), nothing, np.zeros((0, 112, 112), np.uint8)) == []
    assert sharpness(np.zeros((0, 112, 112), np.uint8), np.zeros(0)).shape == (0,)
    assert head_pose(np.zeros((0, 5, 2))).shape == (0, 3)


def test_a_good_face_passes_both() -> None:
    for limits in (LIVE_LIMITS, ENROLLMENT_LIMITS):
        quality = judged(pattern(), limits=limits)
        assert quality.ok, quality.reasons
        assert quality.size == pytest.approx(100)


@pytest.mark.parametrize(
    ("crop", "size", "landmarks", "reason"),
    [
        (pattern(), 20, None, "face too small: 20 pixels wide, at least 26 needed"),
        (stretched(pattern(10)), 100, None, "too blurred: sharpness 0.0"),
        (pattern() // 40, 100, None, "too dark: mean grey level"),
        (250 + pattern() // 60, 100, None, "too bright: mean grey level 25"),
        (120 + pattern() // 100, 100, None, "too little contrast: 0."),
        (pattern(), 100, turned(70, 0, 0), "face turned too far to the side: 70 degrees, at most 50"),
        (pattern(), 100, turned(0, 70, 0), "face turned too far up or down: 70 degrees, at most 60"),
        (pattern(), 100, turned(0, 0, 180), "face upside down"),
        (pattern(), 100, turned(0, 0, -80), "head tilted too far: 80 degrees, at most 50"),
        (pattern(), 100, EXPRESSION_TEMPLATE - 60, "face cut off by the edge of the picture"),
    ],
)
def test_reasons(crop: np.ndarray, size: float, landmarks: np.ndarray | None, reason: str) -> None:
    reasons = judged(crop, size, landmarks).reasons
    assert any(given.startswith(reason) for given in reasons), reasons


@pytest.mark.parametrize(
    "pose", [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 25), (20, 10, 15)]
)
def test_pose_of_a_turned_head(pose: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(head_pose(turned(*pose)[None])[0], pose, atol=6)


def test_sharpness_falls_with_blur_and_does_not_see_contrast() -> None:
    values = [judged(pattern(blur)).sharpness for blur in (0, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert judged(100 + pattern() // 4).sharpness == pytest.approx(values[0], abs=0.05)


def test_levels_are_numpys() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (5, 112, 112)).astype(np.uint8)
    means, spreads = face_levels(pictures)
    np.testing.assert_allclose(means, pictures[:, 12:-12, 16:-16].mean(axis=(1, 2)))
    np.testing.assert_allclose(spreads, pictures[:, 12:-12, 16:-16].std(axis=(1, 2)))
    assert [part.shape for part in face_levels(pictures[:0])] == [(0,), (0,)]


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.12, 0.06])
def test_a_dark_face_is_readable_and_gets_the_contrast_of_a_usual_one(factor: float) -> None:
    usual = (128 + 0.5 * (pattern().astype(np.float32) - 128)).astype(np.uint8)
    dark = np.round(factor * usual).astype(np.uint8)
    assert judged(dark).ok and judged(usual).ok
    assert judged(dark).sharpness == pytest.approx(judged(usual).sharpness, abs=0.1)
    means, spreads = face_levels(in_good_light(dark))
    assert spreads[0] >= min(CONTRAST, face_levels(usual)[1][0]) - 1 and 50 < means[0] < 170
    colours = in_good_light(np.repeat(dark[..., None], 3, axis=3))
    np.testing.assert_array_equal(colours[..., 0], in_good_light(dark))


def test_a_face_in_good_light_is_not_changed() -> None:
    assert in_good_light(both := np.concatenate([pattern(), pattern(2)])) is both
    assert in_good_light(both[:0]).shape == (0, 112, 112)


def test_who_it_is_has_limits_of_its_own() -> None:
    upside_down = judged(pattern(), landmarks=turned(0, 0, 180))
    assert upside_down.reasons == ("face upside down: turn the camera or the picture",) and upside_down.identifiable
    small = judged(pattern(), size=20)
    assert not small.ok and small.identifiable
    tiny, black = judged(pattern(), size=8), judged(pattern() // 100)
    assert not tiny.identifiable and not black.identifiable


@pytest.mark.parametrize("size", [30, 100])
def test_sharpness_is_what_it_says(size: int) -> None:
    grey = np.concatenate([pattern(blur) for blur in (0, 1, 4)])
    scale, half = (2, 0.35) if size >= 56 else (4, 1.0)
    side, expected = 112 // scale, []
    for crop in grey:
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA).astype(np.float64)
        inner = (slice(side // 6, side - side // 6),) * 2
        raw = cv2.Laplacian(small, cv2.CV_64F)[inner].var() / small[inner].var()
        expected.append(raw / (raw + half))
    # The rows next to the crop above and below are all that differs, and they lie outside of the middle.
    np.testing.assert_allclose(sharpness(grey, np.full(3, size)), expected, rtol=1e-4)
