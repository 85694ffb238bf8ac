""" "Who is this?": a person's pictures, the name, who gave consent, and what each picture shows."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import date
from html import escape

import streamlit as st

from fewshot.app.guest_crops import Crop
from fewshot.app.guests import Guest
from fewshot.app.language import date_format
from fewshot.app.lesson_guests import Naming
from fewshot.app.next_click import in_the_app
from fewshot.app.shell import isolated, plain
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.classroom.roster import Roster
from fewshot.errors import FewshotError
from fewshot.session.summary import clock
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word

NEW, KNOWN = later("A new student"), later("A student of this class")
_LEFT_OUT = later("leave this picture out")
_ALIKE = "looks like"
"""In the session: (key of the form, the student whom the pictures look like), after such a refusal."""
_COLUMNS = 4


def faces_html(crops: Sequence[Crop], words: str) -> str:
    """Faces in a row, as the network saw them. They are part of the page and have no separate address."""
    pictures = "".join(
        f'<img class="fs-face" alt="{escape(words)}" src="data:image/png;base64,{base64.b64encode(one.seen).decode()}">'
        for one in crops
    )
    return f'<div class="fs-guest{" one" if len(crops) == 1 else ""}">{pictures}</div>'


def ask(
    guest: Guest,
    roster: Roster,
    states: Sequence[str],
    enroll: Callable[[Naming], StudentResult],
    key: str,
    timed: bool = True,
) -> StudentResult | None:
    """Draw the form for one person.

    Args:
        guest: the person.
        roster: of the class.
        states: those that a picture may show.
        enroll: called with the answer; its errors are shown here.
        key: of the form's fields.
        timed: the pictures are of different moments of a lesson.

    Returns:
        The result, once the student is enrolled; None before.
    """
    names = sorted(roster.students, key=str.casefold)
    known_label = guest.label in names
    if guest.label:
        label = f"<b>{escape(isolated(guest.label))}</b>"
        words = tr("The label of the call says {label}. Check it.", label=label)
        st.html(f"<div class='fs-muted'>{words}</div>")
    first = KNOWN if known_label else NEW
    kind = (
        st.segmented_control(tr("Who is this?"), [NEW, KNOWN], default=first, key=f"{key} kind", format_func=tr)
        or first
    )
    left, middle, right = st.columns([1.2, 1.2, 1])
    if kind == NEW:
        student = left.text_input(
            tr("Name of the student"), value="" if known_label else guest.label, placeholder="Asha", max_chars=64,
            key=f"{key} name",
        )  # fmt: skip
    else:
        index = names.index(guest.label) if known_label else None
        student = left.selectbox(tr("Add to"), names, index=index, placeholder=tr("choose"), key=f"{key} known") or ""
    known = roster.students.get(student) if kind == KNOWN else None
    by, until = None, None
    if not (known and known.consent.holds(date.today())):
        by = (
            middle.text_input(tr("Consent given by"), placeholder=tr("her mother, in writing"), key=f"{key} by").strip()
            or None
        )
        until = right.date_input(
            tr("Last day of the consent (if it ends)"),
            value=None,
            min_value=date.today(),
            key=f"{key} until",
            format=date_format(),
        )
    st.caption(
        tr(
            "What does each picture show? The word beside a box is only what the network reads. Tick it if you agree, "
            "or choose another word. Pictures without an answer help only to recognise the student."
        )
    )
    shows = _pictures(guest.crops, states, key, timed)
    slot = st.container()
    naming = Naming(student, kind == NEW, shows, by, until)
    words = tr_n("Enroll {number} picture", "Enroll {number} pictures", len(shows))
    if st.button(words, type="primary", key=f"{key} enroll", width="stretch"):
        return _try(slot, enroll, naming, key)
    return _twin(slot, enroll, naming, key)


def _pictures(crops: Sequence[Crop], states: Sequence[str], key: str, timed: bool) -> dict[int, str | None]:
    """Each picture with its box and its list; nothing is chosen beforehand. Returns id -> confirmed state or None."""
    shows: dict[int, str | None] = {}
    for start in range(0, len(crops), _COLUMNS):
        columns = st.columns(_COLUMNS)
        for column, crop in zip(columns, crops[start : start + _COLUMNS], strict=False):
            with column:
                words = (
                    tr("A face, seen at {time}", time=clock(crop.second)) if timed else tr("A face, cut from the photo")
                )
                st.html(faces_html([crop], words))
                agreed = bool(crop.suggests) and st.checkbox(
                    tr("{state}?", state=plain(emotion_word(crop.suggests))), key=f"{key} tick {crop.id}"
                )
                other = st.selectbox(
                    tr("Another answer"), [*states, _LEFT_OUT], index=None, placeholder=tr("another answer"),
                    label_visibility="collapsed", key=f"{key} other {crop.id}", format_func=_answer,
                )  # fmt: skip
            if other != _LEFT_OUT:
                shows[crop.id] = other or (crop.suggests if agreed else None)
    return shows


def _answer(state: str) -> str:
    return tr(state) if state == _LEFT_OUT else emotion_word(state)


def _try(slot: st.delta_generator.DeltaGenerator, enroll: Callable[[Naming], StudentResult], naming: Naming,
         key: str) -> StudentResult | None:  # fmt: skip
    """Enroll, or say above the button what is wrong."""
    st.session_state.pop(_ALIKE, None)
    try:
        with st.spinner(tr("Enrolling …")):
            result = enroll(naming)
    except FewshotError as error:
        slot.error(plain(in_the_app(error)), icon=":material/info:")
        return None
    if any(photo.status == "accepted" for photo in result.photos) and result.stands:
        return result
    if result.looks_like:
        st.session_state[_ALIKE] = key, result.looks_like
        return _twin(slot, enroll, naming, key)
    for reason in dict.fromkeys(photo.reason for photo in result.photos):
        slot.warning(plain(tr("Nothing was enrolled: {reason}.", reason=tr(reason))), icon=":material/info:")
    return None


def _twin(slot: st.delta_generator.DeltaGenerator, enroll: Callable[[Naming], StudentResult], naming: Naming,
          key: str) -> StudentResult | None:  # fmt: skip
    """After a refusal because the face is like another student's: it is that student, or they are two people."""
    of, other = st.session_state.get(_ALIKE, ("", ""))
    if of != key:
        return None
    name = plain(isolated(other))
    with slot:
        st.info(
            tr(
                "Nothing was enrolled yet: this face is like that of {student}, who is in the class. Is it the same "
                "person, or are they two people, such as twins? If they are two, the program may later show no name, "
                "or the name of the other one.",
                student=name,
            ),
            icon=":material/group:",
        )
        left, right = st.columns(2)
        same = left.button(tr("It is {student}: add the pictures", student=name), key=f"{key} same", width="stretch")
        two = right.button(tr("Two people who look alike"), key=f"{key} two", width="stretch")
    if same:
        return _try(slot, enroll, Naming(other, False, naming.shows, naming.consent_by, naming.consent_until), key)
    if two:
        twin = Naming(naming.student, naming.new, naming.shows, naming.consent_by, naming.consent_until, other)
        return _try(slot, enroll, twin, key)
    return None


def outcome(result: StudentResult) -> str:
    """What was enrolled and what was refused, in one or two sentences."""
    accepted, refused = result.count("accepted"), result.rejected
    said = [
        tr_n(
            "{student}: {number} picture enrolled.",
            "{student}: {number} pictures enrolled.",
            accepted,
            student=isolated(result.student),
        )
    ]
    if refused:
        why = " ".join(f"{tr(reason)}." for reason in dict.fromkeys(photo.reason for photo in refused))
        said.append(
            tr_n(
                "{number} picture refused: {reasons}", "{number} pictures refused: {reasons}", len(refused), reasons=why
            )
        )
    said += [
        tr(
            "One picture looks like “{state}”, but is enrolled as “{emotion}”. Is that right?",
            state=emotion_word(photo.looks),
            emotion=emotion_word(photo.emotion or ""),
        )
        for photo in result.doubtful
    ]
    return " ".join(said)
