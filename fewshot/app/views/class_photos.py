"""Add students from a folder, a zip, single photos or the camera: a table of the photos, then what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import streamlit as st

from fewshot.app.consent_form import HERE, FormFacts, consent_form
from fewshot.app.language import date_format
from fewshot.app.palette import photo_html
from fewshot.app.photo_table import rows_of_class, rows_of_student
from fewshot.app.server import place
from fewshot.app.shell import PHOTO_TABLES, SEEN, ask_to_acknowledge, calm, go, isolated, plain, say_advice
from fewshot.app.upload_files import content, forget
from fewshot.app.uploads import MOST_MEGABYTES, Upload, add_consent_list, save_class, save_student
from fewshot.app.views import photo_table
from fewshot.app.views.photo_table import Chosen, Laid
from fewshot.app.visitor import visitor
from fewshot.classroom.class_enrollment import given_consent
from fewshot.classroom.consent import CONSENT_FILE, read_consent_list, write_consent_list
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.classroom.folder import consent_file
from fewshot.classroom.places import computer
from fewshot.classroom.roster import Roster
from fewshot.pictures import PICTURE_SUFFIXES
from fewshot.session.settings import Settings
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word
from fewshot.types import EMOTIONS

KINDS = [*(suffix[1:] for suffix in sorted(PICTURE_SUFFIXES)), "zip"]
FOLDER_KINDS = [*KINDS, "csv"]  # consent.csv
_REMEMBERED, _PICTURES = 120, 60
UNLABELLED, OWN = later("I do not know"), later("another state …")
_USED = "fields used"
"""In the session: how many uploads were enrolled. The next one has fields of its own, which are empty."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an upload.

    Attributes:
        students: what was enrolled.
        refused: (student, file, why) of each photo that was not.
        pictures: file -> thumbnail, of those.
        notes, advice: about the class, and about the computer.
        left_out: number of photos that the teacher left out.
    """

    students: list[StudentResult]
    refused: list[tuple[str, str, str]]
    pictures: dict[str, bytes]
    notes: list[str]
    advice: list[str]
    left_out: int = 0


def add(name: str, roster: Roster) -> None:
    """The three ways to add students."""
    photo_table.say_reloaded()
    with st.expander(tr("Add students"), icon=":material/person_add:", expanded=not roster.students or _choosing()):
        _acknowledge()
        many, one, camera = st.tabs([tr("Many students"), tr("One student"), tr("With the camera")])
        with many:
            _many(name, roster)
        with one:
            _one(name, roster)
        with camera:
            _camera(name)
    _show(st.session_state.get(f"outcome {name}"))


def from_photos(name: str, roster: Roster) -> None:
    """On the page Enrollment: photos of many students or of one."""
    photo_table.say_reloaded()
    many, one = st.tabs([tr("Many students"), tr("One student")])
    with many:
        _many(name, roster)
    with one:
        _one(name, roster)
    _show(st.session_state.get(f"outcome {name}"))


def _choosing() -> bool:
    return bool(st.session_state.get(PHOTO_TABLES))


def _acknowledge() -> None:
    """Photos are enrolled only after the same acknowledgement as for a camera and a lesson."""
    ask_to_acknowledge(
        tr(
            "Before you add students, open the page Start, read where this may not be used, and click “I have read "
            "this and will follow it”."
        )
    )


@calm
def _many(name: str, roster: Roster) -> None:
    st.caption(
        tr(
            "Use one folder per student. Put the photos into it, or into subfolders named after what they show "
            "(neutral, happy, confused …). A folder of files like anna_neutral.jpg works too. You see a table of all "
            "photos before anything is stored. A file may have {most} MB.",
            most=MOST_MEGABYTES,
        )
    )
    left, right = st.columns(2)
    folder = left.file_uploader(
        tr("Choose a folder"), type=FOLDER_KINDS, accept_multiple_files="directory", key=_field("folder", name)
    )
    packed = right.file_uploader(
        tr("or a zip file"), type=["zip"], max_upload_size=MOST_MEGABYTES, key=_field("zip", name)
    )
    by, until = _consent("many")
    listed = _consent_files(name, roster)
    files = [*(folder or []), *([packed] if packed else [])]

    def read(place: Path) -> Laid:
        notes: list[str] = []
        uploads = [Upload(file.name, content(file)) for file in files]
        save_class(uploads, place, roster.students, notes)
        if listed is not None:
            add_consent_list(content(listed), place)
        file = consent_file(place)
        names = read_consent_list(file, list(roster.students)).names if file else ()
        return Laid(place, rows_of_class(place, roster.students, names), notes)

    lists = [listed] if listed else []
    _table(name, roster, Chosen("many", _identity(files), _identity(lists), read), by, until, [*files, *lists])


@calm
def _one(name: str, roster: Roster) -> None:
    left, right = st.columns(2)
    student = left.text_input(tr("Name of the student"), placeholder="Asha", key="one student", max_chars=64).strip()
    shown = right.selectbox(
        tr("What the photos show"),
        [UNLABELLED, *EMOTIONS, OWN],
        index=1 + EMOTIONS.index("neutral"),
        format_func=lambda state: tr(state) if state in (UNLABELLED, OWN) else emotion_word(state),
    )
    emotion: str | None = None if shown == UNLABELLED else shown
    if shown == OWN:
        said = st.text_input(tr("Name of the state, in one word"), placeholder=emotion_word("confused"), max_chars=40)
        emotion = said or None
        st.caption(tr("Three pictures are enough to recognise a state. A neutral photo makes it more reliable."))
    photos = st.file_uploader(tr("Photos"), type=KINDS, accept_multiple_files=True, key=_field("photos", name))
    known = roster.students.get(student)
    by, until = (None, None) if known and known.consent.holds(date.today()) else _consent("one")
    files = photos if student else []
    if photos and not student:
        st.info(tr("Write the name of the student. Then the photos are shown here."), icon=":material/person:")

    def read(place: Path) -> Laid:
        laid = save_student([Upload(file.name, content(file)) for file in files], place, "photos")
        return Laid(laid, rows_of_student(laid, student, emotion))

    _table(name, roster, Chosen("one", _identity(files), (student, emotion), read), by, until, files)


def _identity(files: Sequence[Any]) -> tuple[Any, ...]:
    """What distinguishes these files from others of the same names."""
    return tuple((file.name, getattr(file, "file_id", "")) for file in files)


def _table(name: str, roster: Roster, chosen: Chosen, by: str | None, until: date | None, files: Sequence[Any]) -> None:
    """The table of the chosen photos with its button; a button that cannot be clicked without photos."""
    if not chosen.files or Settings(owner=visitor()).acknowledged is None:
        photo_table.forget(chosen.kind)
        st.button(tr("Enroll"), type="primary", disabled=True, key=f"enroll {chosen.kind}")
        return
    st.session_state.pop(f"outcome {name}", None)
    done = photo_table.section(name, roster, chosen, given_consent(by, until) if by else None)
    if done is not None:
        forget(files)  # photos of students must not lie on the disk until the tab is closed
        _after(name, done)


def _after(name: str, done: photo_table.Done) -> None:
    """Keep the report, and empty the fields for files: the same photos are not offered again."""
    from fewshot.app.setups import advice_of

    students = done.report.students
    said = {str(photo.path): photo.reason for student in students for photo in student.rejected}
    refused = [
        (photo.student, photo.row.id, said.get(photo.row.id) or photo.words)
        for photo in done.plan.photos
        if photo.status == "refused" or photo.row.id in said
    ]
    _remember(students, done.pictures)
    pictures = {file: done.pictures[file] for _, file, _ in refused[:_PICTURES] if done.pictures.get(file)}
    st.session_state[f"outcome {name}"] = Outcome(
        students, refused, pictures, done.report.notes, advice_of(done.room.perception), done.plan.count("left out")
    )
    st.session_state[_USED] = st.session_state.get(_USED, 0) + 1
    st.rerun()


def _field(what: str, name: str) -> str:
    """Key of a field for files; after an enrollment it is another one."""
    return f"{what} {name} {st.session_state.get(_USED, 0)}"


def _consent_files(name: str, roster: Roster) -> Any:
    """The form for families and the list of consents, to download and to bring back. Returns the list that is sent."""
    names = sorted({*roster.students, *photo_table.students_in("many")}, key=str.casefold)
    today = date.today()
    held = {key: student.consent for key, student in roster.students.items() if student.consent.holds(today)}
    lacking = [student for student in names if student not in held]
    with st.expander(tr("Consent form and list of consents"), icon=":material/contract:"):
        st.caption(
            tr(
                "Print the form for the families. It is a template and no legal advice. Then fill in the list with a "
                "spreadsheet: a row per student, who gave consent, and when. Bring it back here, or put it into the "
                "folder of the photos. It counts before what is written above."
            )
        )
        owner = visitor()
        settings, where = Settings(owner=owner), place()
        keeper = computer(where) if where else HERE
        teacher = owner.name if where else ""
        facts = FormFacts(name, teacher, settings.retention_days, keeper, settings.portraits)
        left, right = st.columns(2)
        form = tr("Consent form to print")
        if lacking:
            form = tr_n(
                "Consent form to print ({number} sheet)", "Consent form to print ({number} sheets)", len(lacking)
            )
        listed = tr_n("List of consents ({number} student)", "List of consents ({number} students)", len(names))
        left.download_button(
            form, consent_form(facts, lacking), "consent-form.html", "text/html",
            icon=":material/print:", width="stretch", on_click="ignore",
        )  # fmt: skip
        right.download_button(
            listed, write_consent_list(names, held), CONSENT_FILE,
            "text/csv", icon=":material/download:", width="stretch", on_click="ignore",
        )  # fmt: skip
        return st.file_uploader(
            tr("The list of consents, filled in (consent.csv)"), type=["csv"], key=_field("list", name)
        )


def _camera(name: str) -> None:
    st.caption(
        tr(
            "This takes about thirty seconds. The student shows a neutral face, a smile, surprise and confusion. The "
            "program chooses the best pictures."
        )
    )
    student = st.text_input(tr("Name of the student"), placeholder="Asha", key="camera student", max_chars=64)
    if st.button(tr("Open the camera"), icon=":material/photo_camera:", disabled=not student.strip()):
        go("enroll", **{"class": name, "student": student.strip()})


def _consent(key: str) -> tuple[str | None, date | None]:
    left, right = st.columns(2)
    by = left.text_input(tr("Consent given by"), placeholder=tr("her mother, in writing"), key=f"consent {key}")
    until = right.date_input(
        tr("Last day of the consent (if it ends)"),
        value=None,
        key=f"until {key}",
        min_value=date.today(),
        format=date_format(),
    )
    return by.strip() or None, until


def _remember(students: list[StudentResult], pictures: dict[str, bytes]) -> None:
    """Keep small pictures of what was just enrolled in this tab, so that a teacher sees which photo to remove."""
    accepted = [photo for student in students for photo in student.photos if photo.status == "accepted"]
    seen = st.session_state.setdefault(SEEN, {})
    for photo in accepted[:_REMEMBERED]:
        if photo.sha256 and (small := pictures.get(photo.path.as_posix())):
            seen[photo.sha256] = small
    for sha in list(seen)[:-_REMEMBERED]:
        del seen[sha]


def _show(outcome: Outcome | None) -> None:
    """What was accepted, and every refused photo with its reason."""
    if outcome is None:
        return
    for note in outcome.notes:
        st.info(plain(tr(note)), icon=":material/info:")
    say_advice(outcome.advice)
    accepted = sum(student.count("accepted") for student in outcome.students)
    twice = sum(student.count("already enrolled") for student in outcome.students)
    parts = [tr_n("{number} photo accepted", "{number} photos accepted", accepted)]
    parts += [tr_n("{number} already enrolled", "{number} already enrolled", twice)] if twice else []
    parts += [tr_n("{number} left out", "{number} left out", outcome.left_out)] if outcome.left_out else []
    parts += [tr_n("{number} refused", "{number} refused", len(outcome.refused))]
    (st.success if accepted or twice else st.warning)(f"{', '.join(parts)}.", icon=":material/fact_check:")
    columns = st.columns(4)
    for number, (student, file, why) in enumerate(outcome.refused):
        with columns[number % 4].container(border=True):
            if picture := outcome.pictures.get(file):
                st.html(photo_html(picture, tr("Photo {photo}", photo=file), 112))
            who = f"**{plain(isolated(student))}** · " if student else ""
            st.markdown(f"{who}{plain(file)}  \n:red-badge[{plain(tr('refused'))}] {plain(tr(why))}")
    for enrolled in outcome.students:
        for note in enrolled.notes:
            st.caption(plain(f"{isolated(enrolled.student)}: {tr(note)}"))
