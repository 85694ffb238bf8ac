"""Draws the table of chosen photos above the button that enrolls them; what it says is what is enrolled."""

from __future__ import annotations

import base64
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from fewshot.app import address
from fewshot.app.components import photo_table as drawn_table
from fewshot.app.next_click import in_the_app
from fewshot.app.photo_plan import Plan, PlannedPhoto, make_plan
from fewshot.app.photo_table import PhotoTable, Row, changes_of, look_at_photos, names_of, to_look_at
from fewshot.app.shell import PHOTO_TABLES, PHOTOS_LOST, isolated, plain, session
from fewshot.app.visitor import visitor
from fewshot.classroom.consent import Consent, read_consent_list
from fewshot.classroom.folder import absent_names, consent_file
from fewshot.classroom.own_classes import OwnClasses
from fewshot.classroom.roster import Roster
from fewshot.classroom.store import ClassStore
from fewshot.errors import FewshotError, UsageError
from fewshot.session.temporary import TemporaryFolder
from fewshot.translation import LANGUAGE, later, tr, tr_n
from fewshot.translation.words import emotion_word

if TYPE_CHECKING:
    from fewshot.classroom.enrollment_report import EnrollmentReport
    from fewshot.room import Classroom

CHOSEN = "photos"
"""In the page's address while photos are chosen, with the number of the class: a page that is loaded again can say that
they are gone."""
RELOADED = later("This page was loaded again, so the photos must be chosen again. Nothing was stored.")
CHANGED = later(
    "The class or the table has changed meanwhile. Look at the table again, then click again. Nothing was stored."
)
_SAYS = {
    "enroll": later("will be enrolled"), "change": later("gets another label"), "known": later("is enrolled already"),
    "refused": later("cannot be enrolled"), "left out": later("left out"),
}  # fmt: skip


WORDS = {
    "only": later("Only photos that need a look"), "table": later("Photos before they are enrolled"),
    "keep": later("Enroll {photo}"), "alt": later("Photo {photo}"), "none": later("no picture"),
    "name": later("name"), "student": later("Student in {photo}"), "shows": later("What {photo} shows"),
    "word": later("Another state in {photo}"), "unknown": later("I do not know"),
    "another": later("another state …"), "add": later("Add to {student}"),
    "twins": later("Two people, such as twins"), "out": later("Leave out"),
    "one of": later("Also the other photo of {student}"), "one": later("Also the other photo without a name"),
    "more of": later("Also the other {number} photos of {student}"),
    "more": later("Also the other {number} photos without a name"),
}  # fmt: skip
"""What ``photo_table.js`` writes into the table."""
COLUMNS = (
    later("Enroll"), later("Photo"), later("Student"), later("Shows"), later("Network sees"), later("Consent"),
    later("What happens"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Laid:
    """Files that lie in a folder: where, the photos among them, and notes about the files."""

    folder: Path
    rows: list[Row]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files that were chosen, and how they are laid out.

    Attributes:
        kind: "many" or "one".
        files: identify the photos; other photos make another table.
        guesses: what names and labels depend on besides the files. When it changes, no photo is opened again.
        read: lays the files out in an empty folder.
    """

    kind: str
    files: Hashable
    guesses: Hashable
    read: Callable[[Path], Laid]


@dataclass(slots=True)
class _Open:
    """One table of this tab, with the class it is for.

    Attributes:
        number: distinguishes it from earlier tables of this tab.
        read: the guesses with which the files were read; None before.
        failure: why they cannot be read.
        basis: what ``plan`` was made from.
        shown: what the button said and would have done when it was drawn last.
    """

    classroom: str
    files: Hashable
    room: Classroom
    number: int
    table: PhotoTable = field(default_factory=PhotoTable)
    read: Any = None
    failure: str = ""
    plan: Plan | None = None
    basis: Any = None
    shown: Any = None

    @property
    def key(self) -> str:
        """Where the browser's changes lie in the session."""
        return f"photo table {self.number}"


@dataclass(frozen=True, slots=True)
class Done:
    """What was enrolled: the plan, the report, and the thumbnails by the place of the photo in the upload."""

    plan: Plan
    report: EnrollmentReport
    pictures: dict[str, bytes] = field(repr=False)
    room: Classroom = field(repr=False)


def recall_class(store: ClassStore) -> None:
    """After a reload in the middle, choose the class of the photos again, or another one would get them."""
    text = st.query_params.get(CHOSEN, "")
    number = address.number_in(text)
    if number is not None and "class" not in st.session_state:
        found = OwnClasses(store.database, store.owner).get(number)
        if found is not None:
            st.session_state["class"] = found.name


def say_reloaded() -> None:
    """Say that chosen photos are gone, after the page was loaded again in the middle."""
    if CHOSEN in st.query_params and not st.session_state.get(PHOTO_TABLES):
        st.query_params.pop(CHOSEN)
        st.session_state[PHOTOS_LOST] = True
    if st.session_state.get(PHOTOS_LOST):
        st.info(tr(RELOADED), icon=":material/refresh:")


def forget(kind: str) -> None:
    """Forget the photos of one table, at once."""
    tables = st.session_state.get(PHOTO_TABLES, {})
    tables.pop(kind, None)
    if not tables:
        st.query_params.pop(CHOSEN, None)


def students_in(kind: str) -> list[str]:
    """Names of the students in a table of this tab, as they were when it was drawn last."""
    opened: _Open | None = st.session_state.get(PHOTO_TABLES, {}).get(kind)
    photos = opened.plan.photos if opened is not None and opened.plan is not None else []
    return sorted({photo.student for photo in photos if photo.student and photo.status != "left out"})


def section(name: str, roster: Roster, chosen: Chosen, given: Consent | None) -> Done | None:
    """Draw the table and the button.

    Args:
        name: the class.
        roster: of the class, as it is now.
        chosen: the photos.
        given: consent for all students without a row in the list.

    Returns:
        What was done, once the button was clicked; None before.
    """
    opened, slot = _opened(name, chosen), st.container()
    try:
        plan = _planned(opened, roster, chosen, given, slot)
    except FewshotError as error:
        slot.error(plain(in_the_app(error)), icon=":material/info:")
        return None
    with st.container():  # whatever stands in it, the table keeps its place on the page
        for note in opened.table.notes:
            st.info(plain(tr(note)), icon=":material/info:")
        _summary(plan)
    drawn_table(_data(opened, plan), opened.key)
    return _button(opened, plan, chosen.kind)


def _opened(name: str, chosen: Chosen) -> _Open:
    from fewshot.app.setups import open_class

    tables: dict[str, _Open] = st.session_state.setdefault(PHOTO_TABLES, {})
    opened = tables.get(chosen.kind)
    if opened is None or (opened.classroom, opened.files) != (name, chosen.files):
        number = st.session_state["tables made"] = st.session_state.get("tables made", 0) + 1
        opened = tables[chosen.kind] = _Open(name, chosen.files, open_class(name), number)
        st.session_state.pop(PHOTOS_LOST, None)
        store = ClassStore(owner=visitor())
        found = OwnClasses(store.database, store.owner).named(name)
        st.query_params[CHOSEN] = "chosen" if found is None else str(found.id)
    return opened


def _planned(opened: _Open, roster: Roster, chosen: Chosen, given: Consent | None, slot: Any) -> Plan:
    """The plan for the table as it is now. Photos are opened only where that was not done yet.

    Raises:
        UsageError: the files cannot be read.
    """
    table, laid = opened.table, list[Laid]()
    with ExitStack() as until:

        def lay() -> Laid:
            """The files, laid out once at most: a large zip takes seconds."""
            if not laid:
                laid.append(chosen.read(Path(until.enter_context(TemporaryFolder("photos")))))
            return laid[0]

        if opened.read != (chosen.guesses,):
            opened.read, opened.failure = (chosen.guesses,), ""
            try:
                _read(table, lay(), roster)
            except FewshotError as error:
                opened.failure = in_the_app(error)
        if opened.failure:  # a zip that cannot be read is not unpacked again at every click
            raise UsageError(opened.failure)
        sent = st.session_state.get(opened.key)
        if sent is not None:
            table.changes, table.twins = changes_of(sent.get("changes"), table.rows)
        names = names_of(table, roster, given)
        missing = to_look_at(table, names)
        if missing:
            _look(opened, missing, lay().folder, names, slot)
    known = [(key, student.consent, tuple(student.photos.items())) for key, student in roster.students.items()]
    basis = dict(table.changes), table.twins, chosen.guesses, given, known, LANGUAGE.get()
    if missing or opened.plan is None or opened.basis != basis:
        opened.plan, opened.basis = make_plan(table, names, roster, opened.room), basis
    return opened.plan


def _read(table: PhotoTable, laid: Laid, roster: Roster) -> None:
    table.rows, table.notes = laid.rows, laid.notes
    if not table.rows:
        raise UsageError(tr("No photo was found in the upload. Choose JPEG, PNG or HEIC files."))
    file, guessed = consent_file(laid.folder), {row.student for row in table.rows}
    table.listed = read_consent_list(file, [*roster.students, *guessed]) if file else None
    if table.listed is not None:
        table.notes += [*table.listed.faults, *absent_names(table.listed, {*guessed, *roster.students})]


def _look(opened: _Open, rows: Sequence[Row], folder: Path, names: Any, slot: Any) -> None:
    from fewshot.app.setups import photo_eyes

    bar = slot.progress(0.0, tr("Opening the photos …"))
    networks: list[Any] = []

    def eyes() -> Any:
        if not networks:
            bar.progress(0.0, tr("Loading the models …"))
            networks.append(photo_eyes(opened.room))
        return networks[0]

    count = iter(range(len(rows)))

    def on_photo(row: Row) -> None:
        done = next(count)
        who = isolated(opened.table.student(row)) or row.id
        words = tr("Looking at photo {number} of {all} ({name}) …", number=done + 1, all=len(rows), name=plain(who))
        bar.progress(done / len(rows), words)

    look_at_photos(opened.table, rows, folder, names, eyes, on_photo)
    bar.empty()


def _summary(plan: Plan) -> None:
    """One line above the table: how many, and what is missing."""
    parts = [tr_n("{number} photo will be enrolled", "{number} photos will be enrolled", plan.count("enroll"))]
    changed, known = plan.count("change"), plan.count("known")
    parts += [tr_n("{number} will get another label", "{number} will get another label", changed)] if changed else []
    parts += [tr_n("{number} is enrolled already", "{number} are enrolled already", known)] if known else []
    refused, out = plan.count("refused"), plan.count("left out")
    parts += [tr_n("{number} cannot be enrolled", "{number} cannot be enrolled", refused)] if refused else []
    parts += [tr_n("{number} left out", "{number} left out", out)] if out else []
    rest = tr("Nothing is stored yet. Correct names and labels in the table.")
    st.write(f"**{', '.join(parts)}.** {rest}")
    if plan.lacking:
        who = ", ".join(plain(isolated(student)) for student in plan.lacking[:8])
        if len(plan.lacking) > 8:
            who = tr_n("{names} and {number} more", "{names} and {number} more", len(plan.lacking) - 8, names=who)
        st.warning(
            tr(
                "No consent for {names}. Write above who gave it, or add consent.csv. Without it, no network looks at "
                "their photos.",
                names=who,
            ),
            icon=":material/contract:",
        )


def _data(opened: _Open, plan: Plan) -> dict[str, Any]:
    """What the browser needs to draw the table."""
    from fewshot.app.setups import states_of

    table, asked = opened.table, set[tuple[str, str]]()
    states = states_of(opened.room)
    states += sorted({row.shows for row in table.rows if row.shows} - set(states))
    rows = []
    for photo in plan.photos:
        ask = bool(photo.like) and (photo.student, photo.like) not in asked
        asked.add((photo.student, photo.like))
        rows.append(_row(table, photo, ask))
    changes = {
        id: {name: value for name, value in asdict(one).items() if value not in (None, False)}
        for id, one in table.changes.items()
    }
    names = sorted({*opened.room.students, *(row.student for row in table.rows if row.student)}, key=str.casefold)
    return {
        "key": f"{session()} {opened.number}", "rows": rows, "states": states, "names": names,
        "labels": {state: emotion_word(state) for state in states}, "language": LANGUAGE.get(),
        "words": {name: tr(text) for name, text in WORDS.items()}, "columns": list(map(tr, COLUMNS)),
        "changes": {"rows": changes, "twins": sorted(table.twins)},
    }  # fmt: skip


def _row(table: PhotoTable, photo: PlannedPhoto, asks: bool) -> dict[str, Any]:
    look = table.looks.get(photo.row.id)
    differs = bool(photo.reads) and photo.shows is not None and photo.reads not in ("unsure", photo.shows)
    return {
        "id": photo.row.id,
        "picture": base64.b64encode(look.thumbnail).decode() if look else "",
        "guess": photo.row.student,
        "shows": photo.row.shows or "",
        "student": photo.student,
        "reads": photo.reads or "-",
        "read": emotion_word(photo.reads) or "-",
        "differs": differs,
        "consent": photo.consent,
        "consents": tr(photo.consent),
        "status": photo.status,
        "says": tr(_SAYS[photo.status]),
        "words": photo.words,
        "like": photo.like,
        "asks": asks,
        "look": photo.status in ("refused", "change") or bool(photo.words),
    }


def _button(opened: _Open, plan: Plan, kind: str) -> Done | None:
    photos = plan.count("enroll", "change")
    label = tr(
        "Enroll {photos} of {students}",
        photos=tr_n("{number} photo", "{number} photos", photos),
        students=tr_n("{number} student", "{number} students", len(plan.students)),
    )
    shown, opened.shown = opened.shown, (label, plan.signature)
    if not st.button(label, type="primary", disabled=not photos, key=f"enroll {kind}"):
        return None
    if shown != opened.shown:
        st.warning(tr(CHANGED), icon=":material/sync:")
        return None
    with st.spinner(tr("Enrolling …")):
        report = opened.room.enroll_photos(plan.files, plan.consents, looks_like=plan.twins)
    done = Done(plan, report, {id: look.thumbnail for id, look in opened.table.looks.items()}, opened.room)
    forget(kind)
    return done
