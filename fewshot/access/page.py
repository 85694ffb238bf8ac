"""The data of a student as one page that a family can read: plain words, no script, nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fewshot.safe_text import printable
from fewshot.session.analysis.words import UNCERTAINTY, counted

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.55 'Segoe UI','Noto Sans','DejaVu Sans',sans-serif;margin:0}
main{max-width:900px;margin:0 auto;padding:24px}
h2{margin-top:40px}
table{border-collapse:collapse;font-size:14px;margin:12px 0}
th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid #8888;vertical-align:top;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
"""
_EVENTS = {
    "enrolled": "photos were enrolled",
    "looked": "looked at a lesson or its report",
    "corrected": "corrected something",
    "exported": "saved data to files",
    "check-in closed": "closed a check-in",
    "check-in opened": "opened a check-in again",
    "erased": "deleted something",
    "consent recorded": "recorded a consent",
    "consent withdrawn": "recorded that the consent was withdrawn",
}


def html_page(held: dict[str, Any]) -> str:
    """The whole document.

    Args:
        held: what ``gather`` returned.
    """
    title = f"What is stored about {held['student']}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_safe(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{_STYLE}</style></head><body><main>'
        f"<h1>What is stored about {_name(held['student'])}</h1>{''.join(_parts(held))}</main></body></html>\n"
    )


def _parts(held: dict[str, Any]) -> Iterator[str]:
    by = f"Class: {_name(held['class'])}. Made on {_when(held['made'])} by the account {_name(held['made_by'])}."
    yield f"<p>{by} All times are in UTC.</p>{_text(UNCERTAINTY)}"
    if held["sample_class"]:
        yield _text("This is a sample class: the student is invented.")
    yield from _consents(held)
    yield from _photos(held)
    yield from _vectors(held)
    yield from _lessons(held)
    yield from _corrections(held)
    yield from _check_ins(held)
    yield from _rest(held)


def _consents(held: dict[str, Any]) -> Iterator[str]:
    rows = [
        [_day(c["day"]), c["given_by"], c["purpose"], _day(c["until"]) or "no end date", _day(c["withdrawn"]) or "no"]
        for c in held["consents"]
    ]
    yield "<h2>Consent</h2>"
    yield _table(["Given on", "Given by", "For", "Until", "Withdrawn"], rows, "There is no consent on record.")


def _photos(held: dict[str, Any]) -> Iterator[str]:
    rows = [[_day(p["enrolled"]), p["label"] or "no label", p["sha256"]] for p in held["photos"]]
    yield "<h2>Photos</h2>"
    yield _text("The photos and the names of their files are not stored. The fingerprint (SHA-256) tells them apart.")
    yield _table(["Enrolled on", "Label", "Fingerprint of the file"], rows, "No photo was enrolled.")
    picture = held["portrait"]
    if picture is None:
        yield _text("There is no picture on the student's card.")
    else:
        alt = _safe(f"The picture on the card of {held['student']}")
        yield _text(f"This picture is on the student's card since {_when(picture['made'])}:")
        yield f'<img alt="{alt}" src="data:image/jpeg;base64,{_safe(picture["jpeg_base64"])}">'


def _vectors(held: dict[str, Any]) -> Iterator[str]:
    expression, identity = held["expression_vectors"], held["identity_vectors"]
    yield "<h2>Numbers computed from the face</h2>"
    yield _text(
        f"{counted(len(expression), 'list')} of numbers describe expressions of the face, and "
        f"{counted(len(identity), 'list')} of numbers describe the face itself, to recognise the student. They are "
        "biometric data. The numbers are in the file data.json."
    )


def _lessons(held: dict[str, Any]) -> Iterator[str]:
    yield "<h2>Lessons</h2>"
    if not held["lessons"]:
        yield _text("No lesson with this student is stored.")
    for lesson in held["lessons"]:
        readings = lesson["readings"]
        title = lesson["title"] or f"Lesson {lesson['number']}"
        yield f"<h3>{_name(title)}, {_when(lesson['started'])}</h3>"
        yield _text(f"In view in {counted(len(readings), 'second')}. Source: {lesson['source'] or 'not named'}.")
        yield from (_text(f"The teacher wrote at {_clock(m['second'])}: {m['text']}") for m in lesson["markers"])
        if readings:
            rows = [[_clock(r["second"]), r["shown"], _percent(r["confidence"])] for r in readings]
            table = _table(["Time in the lesson", "What the program read", "How sure"], rows, "")
            yield f"<details><summary>Every second</summary>{table}</details>"


def _corrections(held: dict[str, Any]) -> Iterator[str]:
    rows = [
        [
            _when(c["made"]), f"lesson {c['lesson']}" if c["lesson"] else "a deleted lesson", _clock(c["second"]),
            c["predicted"] or "unsure", c["corrected_to"], _when(c["undone"]) or "no",
        ]
        for c in held["corrections"]
    ]  # fmt: skip
    yield "<h2>Corrections by the teacher</h2>"
    yield _table(["Made", "In", "At", "The program read", "Corrected to", "Undone"], rows, "There is no correction.")


def _check_ins(held: dict[str, Any]) -> Iterator[str]:
    rows = [[_when(c["closed"]), f"lesson {c['lesson']}", c["answer"], c["note"]] for c in held["check_ins"]]
    yield "<h2>Check-ins that the teacher closed</h2>"
    yield _table(["Closed", "In", "Answer", "Note"], rows, "The teacher closed no check-in.")


def _rest(held: dict[str, Any]) -> Iterator[str]:
    settings, days = held["settings"], held["settings"]["lessons_deleted_after_days"]
    yield "<h2>Settings</h2>"
    yield _text(f"Lessons are deleted after {counted(days, 'day')}." if days else "Lessons are not deleted by age.")
    single = "counts of the class only" if settings["lessons_keep_counts_only"] else "readings of each student"
    yield _text(f"New lessons keep {single}.")
    allowed = "may" if settings["pictures_on_cards_allowed"] else "may not"
    yield _text(f"Cards of students {allowed} have a picture.")
    yield "<h2>Who did what, and when</h2>"
    rows = [[_when(h["at"]), h["account"], _EVENTS.get(h["event"], h["event"]), _details(h)] for h in held["history"]]
    yield _table(["When", "Account", "What", "More"], rows, "The log has no line about this student.")
    yield "<h2>What is not kept</h2>"
    yield _items(held["not_kept"])
    yield "<h2>What this page does not have</h2>"
    yield _items(held["elsewhere"])


def _details(line: dict[str, Any]) -> str:
    shown = {name: value for name, value in line["details"].items() if name != "class"}
    return ", ".join(
        name if value is True else f"{name}: {value}" for name, value in shown.items() if value is not False
    )


def _table(head: list[str], rows: list[list[str]], nothing: str) -> str:
    if not rows:
        return _text(nothing)
    top = "".join(f'<th scope="col">{_safe(word)}</th>' for word in head)
    body = "".join(f"<tr>{''.join(f'<td>{_name(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _items(sentences: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{_safe(sentence)}</li>' for sentence in sentences)}</ul>"


def _text(text: str) -> str:
    return f"<p>{_safe(text)}</p>"


def _name(text: str) -> str:
    """A text of a person, which must not turn the direction of the text around it."""
    return f"<bdi>{_safe(text)}</bdi>"


def _safe(text: str) -> str:
    return escape(printable(text))


def _day(text: str | None) -> str:
    return text or ""


def _when(text: str | None) -> str:
    """A time of ISO 8601 to the minute."""
    return "" if text is None else text[:16].replace("T", " ")


def _clock(second: float) -> str:
    return f"{int(second) // 3600}:{int(second) // 60 % 60:02d}:{int(second) % 60:02d}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"
