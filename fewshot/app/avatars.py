"""Avatars without a picture: initials or a drawn figure in a colour. Only the name decides how they look."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from html import escape

_HAIR = (
    "M11 17a9 9 0 0 1 18 0v2c-1-3-3-5-5-6-4 2-8 2-11 1-1 1-2 3-2 5z",
    "M10 26V17a10 10 0 0 1 20 0v9c-2-1-2-4-2-7-2-1-3-3-4-5-3 3-8 4-12 4 0 4 0 7-2 8z",
    "M12 16a8 8 0 0 1 16 0l1 1-2-.5c-4-2-10-2-14 0l-2 .5z",
    "M11 18c-2-8 5-12 11-11 6 1 9 6 7 11-1-4-4-5-6-4-4 1-9 0-12 4z",
    "M14 9a3 3 0 0 1 12 0 9 9 0 0 1 3 9c-3-5-15-5-18 0a9 9 0 0 1 3-9z",
    "M11 19c-1-9 4-12 9-12s10 3 9 12l-2 5c0-4-1-7-2-9-3 1-8 1-11-1 0 3-1 6-1 9z",
)


def initials(name: str) -> str:
    """One or two letters of a name in any script.

    >>> initials("asha"), initials("Anna-Lena Maria Berg"), initials("")
    ('AS', 'AB', '?')
    """
    words = [word for word in unicodedata.normalize("NFC", name).replace("_", " ").replace("-", " ").split() if word]
    if not words:
        return "?"
    return (words[0][:2] if len(words) == 1 else words[0][0] + words[-1][0]).upper()


@lru_cache(maxsize=2048)
def avatar(name: str, size: int = 30, drawn: bool = False) -> str:
    """An SVG: initials on a soft colour, or a drawn figure. The name stands beside it, so screen readers skip it."""
    seed = hashlib.sha256(name.encode()).digest()
    hue = seed[0] * 360 // 256
    head = f'<svg class="fs-avatar" viewBox="0 0 40 40" width="{size}" height="{size}" aria-hidden="true">'
    ground = f'<rect width="40" height="40" rx="12" fill="hsl({hue} 45% 86%)"/>'
    if not drawn:
        text = f'<text x="20" y="26" text-anchor="middle" font-size="16" font-weight="650" fill="hsl({hue} 60% 24%)">'
        return f"{head}{ground}{text}{escape(initials(name))}</text></svg>"
    dark, light = f"hsl({hue} 38% 34%)", f"hsl({hue} 40% 70%)"
    hair = _HAIR[seed[1] % len(_HAIR)]
    body = f'<path d="M6 40c0-9 6-13 14-13s14 4 14 13z" fill="{dark}"/>'
    face = f'<circle cx="20" cy="18.5" r="8.5" fill="{light}"/><path d="{hair}" fill="{dark}"/>'
    return f"{head}{ground}{body}{face}</svg>"
