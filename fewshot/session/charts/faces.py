"""A drawn face for every state as paths: they need no font and stay sharp at any size."""

from __future__ import annotations

from fewshot.session.analysis.grid import UNSURE_STATE
from fewshot.session.analysis.students import AWAY_STATE, NOT_READABLE_STATE
from fewshot.session.charts.own_faces import CIRCLE, plate_of, sign_of

_EYES = "M8.7 9.8v1M15.3 9.8v1"
FACES: dict[str, str] = {
    "neutral": f"{_EYES}M8.3 15.4h7.4",
    "happy": f"{_EYES}M7.6 14.2c1.1 2.3 2.6 3.2 4.4 3.2s3.3-.9 4.4-3.2",
    "sad": f"{_EYES}M8.2 16.8c.9-1.6 2.2-2.3 3.8-2.3s2.9.7 3.8 2.3M6.9 8.2l2.7-1.3M17.1 8.2l-2.7-1.3",
    "surprise": f"{_EYES}M12 13.4a1.9 2.3 0 1 0 .01 0zM6.8 7.4c.7-.9 1.6-1.2 2.7-1M17.2 7.4c-.7-.9-1.6-1.2-2.7-1",
    "angry": f"{_EYES}M8.5 16.6c.9-1 2-1.4 3.5-1.4s2.6.4 3.5 1.4M6.7 6.9l3.1 1.6M17.3 6.9l-3.1 1.6",
    "fear": f"{_EYES}M7.8 16.3l1.7-1.5 1.7 1.5 1.7-1.5 1.7 1.5 1.6-1.5M6.7 8l2.5-1.6M17.3 8l-2.5-1.6",
    "disgust": f"{_EYES}M8.2 15.2h7.6M12.6 15.3v1.3a1.5 1.5 0 0 0 3 0v-1.3",
    "confused": "M8.7 10.4v.9M15.3 10v.9M8.2 16.2c1.3-1.7 2.6-1.9 3.8-1s2.4.6 3.8-1.2"
    "M6.9 8l2.7.3M14 7.3c1-1.2 2.2-1.4 3.2-.6",
    "concentrating": "M8.7 10.6v.7M15.3 10.6v.7M10 15.6h4M7 8.6h3.4M17 8.6h-3.4M11.2 7.2v1.4M12.8 7.2v1.4",
    "bored": "M7.3 10.2h3M13.7 10.2h3M9 11.6h.02M15.4 11.6h.02M8.6 16.2l6.8-1.4",
    "tired": "M7.2 10.4c.8 1 2.3 1 3.1 0M13.7 10.4c.8 1 2.3 1 3.1 0M12 14a1.5 2 0 1 0 .01 0z",
    UNSURE_STATE: "M9.3 9.7a2.7 2.7 0 1 1 4.2 2.3c-1 .6-1.5 1.1-1.5 2.2M12 16.6v.8",
    NOT_READABLE_STATE: "M6.5 12c1.5-2.3 3.3-3.4 5.5-3.4s4 1.1 5.5 3.4"
    "c-1.5 2.3-3.3 3.4-5.5 3.4s-4-1.1-5.5-3.4zM7 17L17 7",
    AWAY_STATE: "M8.5 12h7",
}
"""Strokes within a circle of radius 10 around 12, 12, also for own states that are common in classes."""


def plate(state: str) -> str:
    """The background of a state's strokes as a path within 24 x 24: a circle, except for own states without a face."""
    return CIRCLE if state in FACES else plate_of(state)


def strokes(state: str) -> str:
    """The face of a state, or the sign of an own state without a face, as a path within 24 x 24."""
    return FACES.get(state) or sign_of(state)


def face_svg(state: str, colour: str, ink: str, size: int = 18) -> str:
    """The face as inline SVG; only decoration, because the word stands beside it."""
    hollow = state in (NOT_READABLE_STATE, AWAY_STATE)
    rim = 'fill="none" stroke="currentColor" stroke-dasharray="3 2.6"' if hollow else f'fill="{colour}"'
    stroke = "currentColor" if hollow else ink
    return (
        f'<svg viewBox="0 0 24 24" width="{size}" height="{size}" aria-hidden="true"><path d="{plate(state)}" '
        f'{rim}/><path d="{strokes(state)}" fill="none" stroke="{stroke}" stroke-width="1.6" '
        f'stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )


def ink_on(colour: str) -> str:
    """Near black or white: the one with the better contrast on #rrggbb (relative luminance of WCAG 2).

    >>> ink_on("#f0e442"), ink_on("#0072b2")
    ('#1f2328', '#ffffff')
    """
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#1f2328" if luminance > 0.2 else "#ffffff"
