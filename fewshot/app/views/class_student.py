"""One student's card, opened: consent, photos, picture, name, and removal."""

from __future__ import annotations

import json
from datetime import date

import streamlit as st

from fewshot.access.forget import forget
from fewshot.app.cards import consent_words, photo_word, quality
from fewshot.app.language import date_format
from fewshot.app.palette import chip, photo_html
from fewshot.app.shell import SEEN, calm, go, isolated, plain, say_later
from fewshot.app.visitor import visitor
from fewshot.classroom.consent import make_consent
from fewshot.classroom.corrections import learned, unlearn
from fewshot.classroom.roster import Photo, Student
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import still_called
from fewshot.errors import UsageError
from fewshot.session.analysis.words import day
from fewshot.translation import tr
from fewshot.translation.words import emotion_word
from fewshot.types import EMOTIONS

RECEIPT = "receipt of an erasure"
"""In the session: the latest receipt, until the teacher closes it. It names nobody."""


def show_receipt() -> None:
    """Offer the receipt of a student who was just removed."""
    receipt = st.session_state.get(RECEIPT)
    if receipt is None:
        return
    with st.container(border=True, key="receipt"):
        st.write(
            tr(
                "The receipt says what was removed and what this program cannot reach, such as files that you saved. "
                "It is signed, and names nobody."
            )
        )
        for behind in json.loads(receipt)["managed_older"]:
            said = tr(
                "The managed backup {file} was made before the erasure and could not be replaced yet.",
                file=behind["file"],
            )
            st.warning(plain(said), icon=":material/history:")
        left, right = st.columns(2)
        left.download_button(
            tr("Save the receipt"), receipt, "receipt.json", "application/json", icon=":material/receipt_long:",
            on_click="ignore", width="stretch",
        )  # fmt: skip
        if right.button(tr("Close the receipt"), width="stretch"):
            st.session_state.pop(RECEIPT, None)
            st.rerun()


def open_card(store: ClassStore, name: str, student: str) -> None:
    """Show the card over the page."""
    st.dialog(plain(student), width="medium", icon=":material/person:")(_card)(store, name, student)


@calm
def _card(store: ClassStore, name: str, student: str) -> None:
    roster = store.roster(name)
    if roster.sample:
        st.write(tr("This is an invented student of the sample class. Only readings are stored about this student."))
        return
    one = roster.students[student]
    photos, consent, more = st.tabs([tr("Photos"), tr("Consent"), tr("More")])
    with photos:
        _photos(store, name, one)
    with consent:
        _consent(store, name, one)
    with more:
        _more(store, name, one)


def _photos(store: ClassStore, name: str, student: Student) -> None:
    if not student.photos:
        st.write(tr("There are no photos yet."))
    for sha, photo in sorted(student.photos.items(), key=lambda item: (item[1].emotion or "", item[1].enrolled)):
        left, middle, change, right = st.columns([3, 3, 2, 2], vertical_alignment="center")
        left.html(chip(photo.emotion or "unsure", photo_word(photo.emotion)))
        how = quality(photo.size, photo.sharpness)
        good = {"good": tr("good quality"), "weak": tr("small or blurry"), "": ""}[how]
        middle.caption(f"{day(photo.enrolled)}{f' · {good}' if good else ''}")
        with change.popover(tr("Change"), width="stretch"):
            _label(store, name, student, sha, photo)
        with right.popover(tr("Remove"), width="stretch", key=f"forget {sha}"):
            _forget(store, name, student, sha, photo)
    _learned(store, name, student)
    if st.button(tr("Add pictures with the camera"), icon=":material/photo_camera:", width="stretch"):
        go("enroll", **{"class": name, "student": student.key})


def _forget(store: ClassStore, name: str, student: Student, sha: str, photo: Photo) -> None:
    """Ask before a photo is removed, with its picture while this tab still has it."""
    small = st.session_state.get(SEEN, {}).get(sha)
    if small:
        st.html(photo_html(small, tr("Photo"), 150))
    else:
        st.caption(tr("fewshot keeps no pictures, so it cannot show this one."))
    said = tr(
        "The photo ({state}, enrolled {day}) no longer helps to recognise {student}. This cannot be undone.",
        state=photo_word(photo.emotion),
        day=day(photo.enrolled),
        student=isolated(student.key),
    )
    st.write(plain(said))
    if st.button(tr("Remove permanently"), key=f"forget surely {sha}", width="stretch"):
        store.remove_photo(name, student.key, sha)
        say_later(tr("The photo was removed."))
        st.rerun()


def _label(store: ClassStore, name: str, student: Student, sha: str, photo: Photo) -> None:
    """Change what an enrolled photo shows."""
    own = [word for word in student.emotions() if word and word not in EMOTIONS]
    choices = [*EMOTIONS, *own]
    now = choices.index(photo.emotion) if photo.emotion else EMOTIONS.index("neutral")
    shown = st.selectbox(tr("This photo shows"), choices, index=now, key=f"label {sha}", format_func=emotion_word)
    if st.button(tr("Save"), key=f"save label {sha}", width="stretch") and shown != photo.emotion:
        store.label_photo(name, student.key, sha, shown)
        say_later(tr("The photo is now labelled {state}.", state=emotion_word(shown)))
        st.rerun()


def _learned(store: ClassStore, name: str, student: Student) -> None:
    """What was learned from the corrections of all lessons, with a button to undo each."""
    for one in learned(store.database, name, student.key, owner=store.owner):
        left, middle, right = st.columns([3, 3, 2], vertical_alignment="center")
        left.html(chip(one.actually))
        predicted = plain(emotion_word(one.said or "unsure"))
        middle.caption(tr("corrected on {day} · predicted: {state}", day=day(one.made), state=predicted))
        if right.button(tr("Undo"), key=f"unlearn {one.id}", width="stretch"):
            undo_correction(store, name, one.id)
            say_later(
                tr(
                    "The correction “{state}” of {student} was undone.",
                    state=emotion_word(one.actually),
                    student=isolated(student.key),
                )
            )
            st.rerun()


def undo_correction(store: ClassStore, name: str, correction: int) -> None:
    """Undo in the running lesson if there is one, because its loop must know at once."""
    from fewshot.app.lesson_room import ROOM

    lesson = ROOM.of(name, visitor())
    if lesson is not None and lesson.alive and lesson.learns:
        lesson.undo(correction)
    else:
        unlearn(store.database, name, correction, owner=store.owner)


def _consent(store: ClassStore, name: str, student: Student) -> None:
    words = consent_words(student, date.today())
    st.write(plain(f"{words[:1].upper()}{words[1:]}."))
    for consent in reversed(store.consents(name, student.key)[:-1]):
        earlier = tr(
            "Earlier consent: {giver}, {day}, for {purpose}",
            giver=consent.given_by,
            day=day(consent.day),
            purpose=consent.purpose,
        )
        st.caption(plain(earlier))
    with st.form("consent", border=False):
        by = st.text_input(tr("New consent given by"), placeholder=tr("her mother, in writing"))
        until = st.date_input(
            tr("Last day of the consent (if it ends)"), value=None, min_value=date.today(), format=date_format()
        )
        if st.form_submit_button(tr("Save the consent"), width="stretch"):
            _record(store, name, student, by, until)
    with st.popover(tr("Consent was withdrawn today"), icon=":material/block:", width="stretch"):
        st.write(
            plain(
                tr(
                    "{student} is no longer recognised from now on, in a running lesson too. This cannot be undone: "
                    "only a new consent lets the student be recognised again. What is stored stays until you remove "
                    "the student.",
                    student=isolated(student.key),
                )
            )
        )
        if st.button(tr("Withdraw the consent"), width="stretch"):
            store.withdraw_consent(name, student.key)
            say_later(tr("{student} is no longer recognised.", student=isolated(student.key)))
            st.rerun()


@calm
def _record(store: ClassStore, name: str, student: Student, by: str, until: date | None) -> None:
    if not by.strip():
        raise UsageError(tr("Who gave consent? Fill in the field “New consent given by”."))
    store.record_consent(name, student.key, make_consent(by, until))
    say_later(tr("The consent was saved."))
    st.rerun()


def _more(store: ClassStore, name: str, student: Student) -> None:
    with st.form("rename student", border=False):
        new = st.text_input(tr("Name"), value=student.key, max_chars=64)
        if st.form_submit_button(tr("Rename"), width="stretch"):
            _rename(store, name, student, new)
    _portrait(store, name, student)
    _family(store, name, student)
    st.write(
        tr(
            "Removing a student deletes everything that is stored about them: face vectors, readings, corrections and "
            "consent. It cannot be undone."
        )
    )
    sure = st.text_input(tr("To confirm, type the student's name"))
    if st.button(tr("Remove permanently"), disabled=sure != student.key, width="stretch"):
        done = forget(store, name, student.key, keep_class=True)
        also = " ".join(tr(words) for words in (done.also, done.pending) if words)
        st.session_state[RECEIPT] = json.dumps(done.receipt, indent=1)
        who = isolated(student.key)
        if still_called(name) in done.also:
            also += f" {tr('To change that, click Rename on this page.')}"
        said = tr("{student} was removed, with everything that was stored about them.", student=who)
        say_later(f"{said} {also}".strip())
        st.rerun()


@calm
def _family(store: ClassStore, name: str, student: Student) -> None:
    """Everything that is held, as files for the family. They are made when somebody asks, and the log notes it."""
    from fewshot.access.export import folder_for, student_files

    st.write(tr("The family may have a copy of everything that is stored about the student."))
    if not st.button(tr("Make the copy for the family"), icon=":material/family_restroom:", width="stretch"):
        return
    with st.spinner(tr("Making the files …")):
        files = student_files(store.database, store.owner, name, student.key)
    for file, media in (("data.html", "text/html"), ("data.json", "application/json")):
        label = tr("Save {file} ({size} kB)", file=file, size=f"{len(files[file]) / 1000:.0f}")
        saved = f"{folder_for(student.key)}{file.removeprefix('data')}"
        st.download_button(label, files[file], saved, media, icon=":material/download:", on_click="ignore")


@calm
def _rename(store: ClassStore, name: str, student: Student, new: str) -> None:
    store.rename_student(name, student.key, new)
    st.rerun()


@calm
def _portrait(store: ClassStore, name: str, student: Student) -> None:
    from fewshot.app.upload_files import content
    from fewshot.app.uploads import thumbnail_of
    from fewshot.session.settings import Settings

    if not Settings(owner=visitor()).portraits:
        st.caption(tr("By default no picture is kept. You can allow a picture on each card under Settings → Privacy."))
        return
    upload = st.file_uploader(tr("Picture for the card"), type=["jpg", "jpeg", "png", "heic"], key="portrait")
    if upload is not None and st.button(tr("Keep this picture"), width="stretch"):
        store.set_portrait(name, student.key, thumbnail_of(upload.name, content(upload)))
        st.rerun()
    if not store.portrait(name, student.key):
        return
    with st.popover(tr("Delete the picture"), width="stretch"):
        st.write(tr("The picture leaves the card and the database. This cannot be undone."))
        if st.button(tr("Delete the picture permanently"), width="stretch"):
            store.set_portrait(name, student.key, None)
            st.rerun()
