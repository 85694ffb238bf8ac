"""Add students from a folder, a zip, single photos or the camera; show for each refused photo why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import streamlit as st

from fewshot.app.next_click import in_the_app
from fewshot.app.shell import SEEN, ask_to_acknowledge, calm, go, isolated, plain, say_advice, say_later
from fewshot.app.upload_files import content
from fewshot.app.uploads import MOST_MEGABYTES, Upload, save_class, save_student, thumbnail
from fewshot.app.visitor import visitor
from fewshot.classroom.enrollment_report import PhotoResult, StudentResult
from fewshot.classroom.roster import Roster
from fewshot.classroom.store import ClassStore
from fewshot.errors import FewshotError, UsageError
from fewshot.pictures import PICTURE_SUFFIXES, is_picture
from fewshot.session.analysis.words import counted
from fewshot.session.settings import Settings
from fewshot.session.temporary import TemporaryFolder
from fewshot.types import EMOTIONS

KINDS = [*(suffix[1:] for suffix in sorted(PICTURE_SUFFIXES)), "zip"]
FOLDER_KINDS = [*KINDS, "csv"]  # consent.csv
_REMEMBERED = 120
UNLABELLED, OWN = "I do not know", "another state …"


WHO_CONSENTED = "Who gave consent? Fill in the field “Consent given by”, then click the button again."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an upload; thumbnails are of the photos that were refused or are doubtful."""

    students: list[StudentResult]
    pictures: dict[str, bytes]
    notes: list[str]
    advice: list[str]


def add(name: str, roster: Roster) -> None:
    """The three ways to add students."""
    with st.expander("Add students", icon=":material/person_add:", expanded=not roster.students):
        _acknowledge()
        many, one, camera = st.tabs(["Many students", "One student", "With the camera"])
        with many:
            _many(name, roster)
        with one:
            _one(name, roster)
        with camera:
            _camera(name)
    _show(name, st.session_state.get(f"outcome {name}"))


def _acknowledge() -> None:
    """Photos are enrolled only after the same acknowledgement as for a camera and a lesson."""
    ask_to_acknowledge(
        "Before you add students, open the page Start, read where this may not be used, and click “I have read "
        "this and will follow it”."
    )


@calm
def _many(name: str, roster: Roster) -> None:
    st.caption(
        "Use one folder per student. Put the photos into it, or into subfolders named after what they show (neutral, "
        "happy, confused …). If there is a file consent.csv beside the students' folders, it is used too. "
        f"A file may have {MOST_MEGABYTES} MB. Split a larger zip file, and upload the parts one by one."
    )
    left, right = st.columns(2)
    folder = left.file_uploader(
        "Choose a folder", type=FOLDER_KINDS, accept_multiple_files="directory", key=f"folder {name}"
    )
    packed = right.file_uploader("or a zip file", type=["zip"], max_upload_size=MOST_MEGABYTES, key=f"zip {name}")
    by, until = _consent("many")
    twins = _twins(name, roster, "many")
    files = [*(folder or []), *([packed] if packed else [])]
    slot = st.container()  # an error stands above the button, where it is seen
    blocked = Settings(owner=visitor()).acknowledged is None
    if st.button("Enroll all", type="primary", disabled=blocked or not files, key="enroll many"):
        if by is None and not roster.consenting() and not any(_may_hold_consents(file.name) for file in files):
            _refuse(slot, UsageError(WHO_CONSENTED))
            return
        uploads = [Upload(file.name, content(file)) for file in files]

        def enroll(room: Any, place: Path, bar: Any) -> Any:
            notes: list[str] = []
            save_class(uploads, place, roster.students, notes)
            count = _Count(bar, sum(is_picture(path) for path in place.rglob("*")))
            report = room.enroll_folder(
                place,
                consent_by=by,
                consent_until=until,
                on_student=count.student,
                looks_like=twins,
                on_photo=count.photo,
            )
            report.notes = [*notes, *report.notes]
            return report

        _enroll(name, enroll, slot)


@calm
def _one(name: str, roster: Roster) -> None:
    left, right = st.columns(2)
    student = left.text_input("Name of the student", placeholder="Asha", key="one student", max_chars=64)
    shown = right.selectbox("What the photos show", [UNLABELLED, *EMOTIONS, OWN], index=1 + EMOTIONS.index("neutral"))
    emotion = None if shown == UNLABELLED else shown
    if shown == OWN:
        emotion = st.text_input("Name of the state, in one word", placeholder="confused", max_chars=40)
        st.caption("Three pictures are enough to recognise a state. A neutral photo makes it more reliable.")
    photos = st.file_uploader("Photos", type=KINDS, accept_multiple_files=True, key=f"photos {name}")
    known = roster.students.get(student.strip())
    by, until = (None, None) if known and known.consent.holds(date.today()) else _consent("one")
    twins = _twins(name, roster, "one")
    slot = st.container()
    blocked = Settings(owner=visitor()).acknowledged is None or not (photos and student.strip())
    if st.button("Enroll", type="primary", disabled=blocked, key="enroll one"):
        if by is None and not (known and known.consent.holds(date.today())):
            _refuse(slot, UsageError(WHO_CONSENTED))
            return
        uploads = [Upload(file.name, content(file)) for file in photos]

        def enroll(room: Any, place: Path, bar: Any) -> Any:
            place = save_student(uploads, place, student.strip(), emotion)
            count = _Count(bar, sum(path.is_file() for path in place.rglob("*")))
            count.student(student.strip())
            return room.enroll(
                student.strip(),
                place,
                consent_by=by,
                consent_until=until,
                looks_like=twins,
                on_photo=count.photo,
            )

        _enroll(name, enroll, slot)


class _Count:
    """Moves the bar on photo by photo."""

    def __init__(self, bar: Any, photos: int) -> None:
        self._bar, self._photos, self._done, self._who = bar, max(1, photos), 0, ""

    def student(self, name: str) -> None:
        self._who = name

    def photo(self) -> None:
        self._done += 1
        words = f"Checking photo {self._done} of {self._photos} ({plain(isolated(self._who))}) …"
        self._bar.progress(min(1.0, (self._done - 1) / self._photos), words)


def _refuse(slot: Any, error: FewshotError) -> None:
    slot.error(plain(in_the_app(error)), icon=":material/info:")


def _twins(name: str, roster: Roster, key: str) -> list[str]:
    """The students who are said to have a twin; asked only after a student was refused for that reason."""
    outcome = st.session_state.get(f"outcome {name}")
    alike = {student.looks_like for student in outcome.students} & set(roster.students) if outcome else set()
    if not alike:
        return []
    return st.multiselect("These students have a twin or a double in this class", sorted(alike), key=f"twins {key}")


def _may_hold_consents(file: str) -> bool:
    return file.lower().endswith((".csv", ".zip"))


def _camera(name: str) -> None:
    st.caption(
        "This takes about thirty seconds. The student shows a neutral face, a smile, surprise and confusion. The "
        "program chooses the best pictures."
    )
    student = st.text_input("Name of the student", placeholder="Asha", key="camera student", max_chars=64)
    if st.button("Open the camera", icon=":material/photo_camera:", disabled=not student.strip()):
        go("enroll", **{"class": name, "student": student.strip()})


def _consent(key: str) -> tuple[str | None, date | None]:
    left, right = st.columns(2)
    by = left.text_input("Consent given by", placeholder="her mother, in writing", key=f"consent {key}")
    until = right.date_input(
        "Last day of the consent (if it ends)", value=None, key=f"until {key}", min_value=date.today()
    )
    return by.strip() or None, until


def _enroll(name: str, work: Any, slot: Any) -> None:
    try:
        _enroll_all(name, work, slot.progress(0.0, "Loading the models …"))
    except FewshotError as error:
        _refuse(slot, error)


def _enroll_all(name: str, work: Any, bar: Any) -> None:
    from fewshot.app.setups import advice_of, open_class

    room = open_class(name)
    with TemporaryFolder("photos") as folder:
        report = work(room, Path(folder), bar)
        students = getattr(report, "students", [report])
        shown = [photo.path for student in students for photo in student.to_look_at]
        pictures = {str(path): small for path in shown[:60] if (small := thumbnail(path))}
        _remember(students)
        told = _Told(folder)
        students = [told.student(student) for student in students]
    bar.empty()
    if not students:
        raise UsageError("No photo was found in the upload. Choose JPEG, PNG or HEIC files.")
    notes = [told.words(note) for note in getattr(report, "notes", [])]
    st.session_state[f"outcome {name}"] = Outcome(students, pictures, notes, advice_of(room.perception))
    st.rerun()


@dataclass(frozen=True, slots=True)
class _Told:
    """Sentences without the temporary folder of an upload, which a teacher does not know."""

    folder: str

    def words(self, text: str) -> str:
        short = text.replace(f"{self.folder}/", "").replace(self.folder, "the upload")
        return short.replace(Path(self.folder).name, "the upload")

    def student(self, student: StudentResult) -> StudentResult:
        photos = [replace(photo, reason=_reason(photo)) for photo in student.photos]
        photos = [replace(photo, reason=self.words(photo.reason)) for photo in photos]
        return replace(
            student, photos=photos, notes=list(map(self.words, student.notes)), problem=self.words(student.problem)
        )


def _remember(students: list[StudentResult]) -> None:
    """Keep small pictures of what was just enrolled in this tab, so that a teacher sees which photo to remove."""
    accepted = [photo for student in students for photo in student.photos if photo.status == "accepted"]
    seen = st.session_state.setdefault(SEEN, {})
    for photo in accepted[:_REMEMBERED]:
        if photo.sha256 and (small := thumbnail(photo.path)):
            seen[photo.sha256] = small
    for sha in list(seen)[:-_REMEMBERED]:
        del seen[sha]


def _show(name: str, outcome: Outcome | None) -> None:
    """What was accepted, and every refused or doubtful photo with its reason."""
    if outcome is None:
        return
    for note in outcome.notes:
        st.info(plain(note), icon=":material/info:")
    say_advice(outcome.advice)
    accepted = sum(student.count("accepted") for student in outcome.students)
    refused = sum(student.count("rejected") for student in outcome.students)
    twice = sum(student.count("already enrolled") for student in outcome.students)
    words = f"{counted(accepted, 'photo')} accepted"
    words += f", {twice} already enrolled" if twice else ""
    doubtful = sum(len(student.doubtful) for student in outcome.students)
    words += f", {doubtful} to check" if doubtful else ""
    (st.success if accepted else st.warning)(f"{words}, {refused} refused.", icon=":material/fact_check:")
    columns = st.columns(4)
    shown = [(student, photo) for student in outcome.students for photo in student.to_look_at]
    for place, (student, photo) in enumerate(shown):
        with columns[place % 4].container(border=True):
            picture = outcome.pictures.get(str(photo.path))
            if picture:
                st.image(picture, width="stretch")
            badge = ":orange-badge[please check]" if photo.looks else ":red-badge[refused]"
            why = plain(photo.doubt or _reason(photo))
            st.markdown(f"**{plain(isolated(student.student))}** · {plain(photo.path.name)}  \n{badge} {why}")
            if photo.looks:
                _ask(name, student, photo)
    for student in outcome.students:
        if student.looks_like:
            other = plain(isolated(student.looks_like))
            st.info(
                f"{plain(isolated(student.student))} was not enrolled, because the face is like that of {other}. If "
                f"they are two people, such as twins, choose {other} above under “These students have a twin or a "
                "double in this class”, and upload the photos again. When one of the two is in view, the program may "
                "then show no name or the name of the other one.",
                icon=":material/group:",
            )
        if student.problem:
            st.error(plain(f"{isolated(student.student)}: {student.problem}"), icon=":material/person_off:")
        for note in student.notes:
            st.caption(plain(f"{isolated(student.student)}: {note}"))


def _reason(photo: PhotoResult) -> str:
    """Why a photo was refused, without the temporary folder in which it lay."""
    return photo.reason.replace(str(photo.path), photo.path.name)


def _ask(name: str, student: StudentResult, photo: PhotoResult) -> None:
    """Two buttons: the label is right, or the photo shows what it looks like."""
    left, right = st.columns(2)
    stays = left.button(plain(f"{photo.emotion} is right".capitalize()), key=f"right {photo.sha256}", width="stretch")
    moves = right.button(f"It is {plain(photo.looks)}", key=f"wrong {photo.sha256}", width="stretch")
    if not (stays or moves):
        return
    if moves:
        ClassStore(owner=visitor()).label_photo(name, student.student, photo.sha256, photo.looks)
        say_later(f"{student.student}: the photo is now labelled {photo.looks}.")
        student.notes.clear()  # they were about the old labels; the card shows what is missing now
    said = photo.emotion if stays else photo.looks
    student.photos = [replace(one, emotion=said, looks="") if one == photo else one for one in student.photos]
    st.rerun()
