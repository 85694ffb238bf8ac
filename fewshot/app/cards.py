"""A student's card on the roster: who, whose consent, which photos, and what would help most."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from html import escape
from typing import Any

from fewshot.app.avatars import avatar
from fewshot.app.palette import icon
from fewshot.classroom.roster import Student
from fewshot.types import EMOTIONS

OK, LACKING, ENDED = "#0b7a53", "#b26a00", "#b3261e"
_BLURRED, _SMALL = 0.35, 70.0


def advice(student: Student, today: date, sample: bool = False) -> str:
    """What would help this student's readings most, in a few words; "" if nothing is missing."""
    counts, photos = student.emotions(), student.photos.values()
    weak = sum(quality(photo.size, photo.sharpness) == "weak" for photo in photos)
    found = (
        (not student.consent.holds(today), "Consent has ended: not recognised any more."),
        (not photos, "No photo yet: add a few, a neutral one first."),
        (not counts.get("neutral"), "A neutral photo would help most."),
        (
            len([emotion for emotion in counts if emotion in EMOTIONS]) < 2,
            "A photo of another expression, a smile say, would help most.",
        ),
        (weak * 2 > len(photos), "Sharper or larger photos would help."),
    )
    return "" if sample else next((words for missing, words in found if missing), "")


def quality(size: float | None, sharpness: float | None) -> str:
    """ "good", "weak", or "" where nothing is known of a photo."""
    if size is None or sharpness is None:
        return ""
    return "weak" if sharpness < _BLURRED or size < _SMALL else "good"


def consent_words(student: Student, today: date, sample: bool = False) -> str:
    """The consent on record, in a line."""
    consent = student.consent
    if sample:
        return "sample: readings only"
    if not consent.holds(today):
        return f"consent ended on {consent.until:%d %b %Y}" if consent.until else "consent ended"
    until = f", until {consent.until:%d %b %Y}" if consent.until else ""
    return f"consent: {consent.given_by}, {consent.day:%d %b %Y}{until}"


def card_html(student: Student, today: date, sample: bool = False, portrait: bytes | None = None) -> str:
    """The inside of a card."""
    if portrait:
        source = f"data:image/jpeg;base64,{base64.b64encode(portrait).decode()}"
        face = f'<img class="portrait" alt="" src="{source}">'
    else:
        face = avatar(student.key, 40, drawn=sample)
    photos = "".join(
        f'<span class="photo">{icon(state, 16)}<span>{escape(state)}{f" x {n}" if n > 1 else ""}</span></span>'
        for state, n in sorted(_by_state(student).items(), key=lambda item: _place(item[0]))
    )
    none = "no photos"
    words = consent_words(student, today, sample)
    lines = f'<span class="photos">{photos or f"<span class=small>{none}</span>"}</span>'
    lines += f'<span class="advice">{escape(advice(student, today, sample))}</span>'
    return (
        f'<span class="who">{face}<span class="names"><span class="name">{escape(student.key)}</span>'
        f'<span class="small">{escape(words)}</span></span></span>{"" if sample else lines}'
    )


def roster_data(
    students: Mapping[str, Student],
    today: date,
    sample: bool = False,
    portraits: Mapping[str, bytes] | None = None,
    chosen: str | None = None,
) -> dict[str, Any]:
    """What ``board.js`` needs to show a roster as cards."""
    cards = []
    for key in sorted(students, key=str.casefold):
        student = students[key]
        missing = advice(student, today, sample)
        colour = "transparent" if sample else ENDED if not student.consent.holds(today) else LACKING if missing else OK
        words = f"{key}: {consent_words(student, today, sample)}. {missing}"
        inside = card_html(student, today, sample, (portraits or {}).get(key))
        cards.append([key, words, "card", colour, inside])
    return {"tiles": cards, "chosen": chosen, "wide": True}


def _by_state(student: Student) -> dict[str, int]:
    return {emotion or "unlabelled": count for emotion, count in student.emotions().items()}


def _place(state: str) -> tuple[int, str]:
    if state == "neutral":
        return (-1, state)
    return (EMOTIONS.index(state), state) if state in EMOTIONS else (99, state)
