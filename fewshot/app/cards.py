"""A student's card on the page Class: name, consent, photos, and what would help most."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from html import escape
from typing import Any

from fewshot.app.avatars import avatar
from fewshot.app.palette import UNSURE, icon
from fewshot.classroom.roster import Student
from fewshot.session.analysis.words import day
from fewshot.translation import later, tr
from fewshot.translation.words import emotion_word
from fewshot.types import EMOTIONS

OK, LACKING, ENDED = "#0b7a53", "#b26a00", "#b3261e"
_BLURRED, _SMALL = 0.35, 70.0
NOT_LABELLED = later("not labelled")


def advice(student: Student, today: date, sample: bool = False) -> str:
    """What would improve this student's readings most, in a few words; "" if nothing is missing."""
    counts, photos = student.emotions(), student.photos.values()
    weak = sum(quality(photo.size, photo.sharpness) == "weak" for photo in photos)
    found = (
        (today < student.consent.day, later("Consent begins in the future, so this student is not recognised yet.")),
        (not student.consent.holds(today), later("Consent has ended, so this student is not recognised.")),
        (not photos, later("No photo yet. Add a few, starting with a neutral one.")),
        (not counts.get("neutral"), later("A neutral photo would help most.")),
        (
            len([emotion for emotion in counts if emotion in EMOTIONS]) < 2,
            later("A photo of another expression, for example a smile, would help most."),
        ),
        (weak * 2 > len(photos), later("Sharper or larger photos would help.")),
    )
    return "" if sample else next((tr(words) for missing, words in found if missing), "")


def quality(size: float | None, sharpness: float | None) -> str:
    """ "good", "weak", or "" if size and sharpness are unknown."""
    if size is None or sharpness is None:
        return ""
    return "weak" if sharpness < _BLURRED or size < _SMALL else "good"


def consent_words(student: Student, today: date, sample: bool = False) -> str:
    """The consent on record, in one line."""
    consent = student.consent
    if sample:
        return tr("sample: readings only")
    if today < consent.day:
        return tr("consent from {day} on", day=day(consent.day))
    if not consent.holds(today):
        return tr("consent ended on {day}", day=day(consent.until)) if consent.until else tr("consent ended")
    values = {"giver": consent.given_by, "day": day(consent.day)}
    if consent.until:
        return tr("consent: {giver}, {day}, until {until}", until=day(consent.until), **values)
    return tr("consent: {giver}, {day}", **values)


def card_html(student: Student, today: date, sample: bool = False, portrait: bytes | None = None) -> str:
    """The inside of a card."""
    if portrait:
        source = f"data:image/jpeg;base64,{base64.b64encode(portrait).decode()}"
        face = f'<img class="portrait" alt="" src="{source}">'
    else:
        face = avatar(student.key, 40, drawn=sample)
    counts = sorted(_by_state(student).items(), key=lambda item: _place(item[0]))
    photos = "".join(_photos_html(state, number) for state, number in counts)
    none = escape(tr("no photos"))
    words = consent_words(student, today, sample)
    lines = f'<span class="photos">{photos or f"<span class=small>{none}</span>"}</span>'
    lines += f'<span class="advice">{escape(advice(student, today, sample))}</span>'
    return (
        f'<span class="who">{face}<span class="names"><span class="name" dir="auto">{escape(student.key)}</span>'
        f'<span class="small">{escape(words)}</span></span></span>{"" if sample else lines}'
    )


def _photos_html(state: str, number: int) -> str:
    """One state of a card: icon, word and number of photos."""
    drawn = icon(UNSURE if state == NOT_LABELLED else state, 16)
    words = escape(photo_word(state))
    return f'<span class="photo">{drawn}<span>{words}{f" x {number}" if number > 1 else ""}</span></span>'


def photo_word(state: str | None) -> str:
    """What a photo shows, as a reader sees it; None or ``NOT_LABELLED`` without a label."""
    return tr(NOT_LABELLED) if state in (None, NOT_LABELLED) else emotion_word(str(state))


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
    return {emotion or NOT_LABELLED: count for emotion, count in student.emotions().items()}


def _place(state: str) -> tuple[int, str]:
    if state == "neutral":
        return (-1, state)
    return (EMOTIONS.index(state), state) if state in EMOTIONS else (99, state)
