"""Class: create, rename and delete classes; show the students as cards; add students from photos."""

from __future__ import annotations

from datetime import date
from html import escape

import streamlit as st

from fewshot.access.safety import Safety
from fewshot.app import server
from fewshot.app.cards import roster_data
from fewshot.app.components import board
from fewshot.app.shell import calm, go, isolated, plain, say_later, say_no_classes
from fewshot.app.views import class_photos, class_student, photo_table
from fewshot.app.visitor import visitor
from fewshot.classroom.names import same_on_screen
from fewshot.classroom.places import on_computer
from fewshot.classroom.recognition import AGAIN_BY_CLICK, is_weaker, weaker_note
from fewshot.classroom.roster import Roster
from fewshot.classroom.store import ClassStore
from fewshot.session.settings import Settings
from fewshot.session.stored_words import class_word
from fewshot.translation import tr, tr_n

_ASKED = "recovery_asked"
"""The setting that remembers that the teacher wants no recovery file now."""
_NEW = "class to make"
"""In the session: the teacher comes to make a class, not to look at one."""


def page() -> None:
    """Draw the page."""
    if say_no_classes():
        return
    store = ClassStore(owner=visitor())
    names = store.names()
    with st.container(key="wrap-class"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.html(f"<h1>{escape(tr('Your class'))}</h1>")
        photo_table.recall_class(store)
        name = _choose(names)
    with right:
        _manage(store, name)
    class_student.show_receipt()
    _ask_for_recovery(store)
    if name is None or st.session_state.get(_NEW):
        _first(store, bool(names))
    if name is not None and not st.session_state.get(_NEW):
        for words in (*same_on_screen(names, "classes"), *same_on_screen(store.roster(name).students, "students")):
            st.warning(plain(tr(words)), icon=":material/content_copy:")
        _roster(store, name)


@calm
def _ask_for_recovery(store: ClassStore) -> None:
    """Ask once for a recovery file: without it a lost disk loses every class."""
    settings = Settings(owner=store.owner)
    if not store.owner.manages or settings.get(_ASKED) or all(map(store.is_sample, store.names())):
        return
    if Safety.here().recovery_places():
        return
    with st.container(border=True, key="ask for recovery"):
        st.write(
            plain(
                tr(
                    "Everything in your classes is encrypted, and the key is {here} only. If its disk is lost, only a "
                    "recovery file opens a backup.",
                    here=on_computer(server.place()),
                )
            )
        )
        left, right = st.columns(2)
        if left.button(tr("Make a recovery file"), icon=":material/key:", width="stretch"):
            go("settings")
        if right.button(tr("Not now"), width="stretch"):
            settings.set(_ASKED, True)
            st.rerun()


def _choose(names: list[str]) -> str | None:
    if not names:
        return None
    wanted = st.session_state.get("class")
    index = names.index(wanted) if wanted in names else 0
    chosen = st.selectbox(
        tr("Class"), names, index=index, format_func=class_word, label_visibility="collapsed", on_change=_leave_new
    )
    st.session_state["class"] = chosen
    return str(chosen)


def _leave_new() -> None:
    st.session_state.pop(_NEW, None)


@calm
def _first(store: ClassStore, others: bool) -> None:
    """The way to a first or a further class of one's own, where a teacher looks for it."""
    with st.container(border=True, key="first class"):
        st.subheader(tr("A new class") if others else tr("There is no class yet"))
        st.write(tr("Name it here. Then add students from a folder, a zip file, single photos or the camera."))
        with st.form("first class form", border=False):
            new = st.text_input(tr("Name of the new class"), placeholder=tr("Physics 9b"), max_chars=64)
            if st.form_submit_button(tr("Create the class"), type="primary", icon=":material/group_add:"):
                _make(store, new)
        if others and st.button(tr("Show the classes I have")):
            _leave_new()
            st.rerun()


@calm
def _manage(store: ClassStore, name: str | None) -> None:
    one, two, three = st.columns(3)
    with (
        one,
        st.popover(tr("New"), icon=":material/add:", width="stretch", key=f"new beside {name}"),
        st.form("new class", border=False),
    ):
        # Empty again once the class is made; a name that cannot be used stays, to be mended.
        new = st.text_input(
            tr("Name of the class"), placeholder=tr("Physics 9b"), max_chars=64, key=f"name beside {name}"
        )
        if st.form_submit_button(tr("Create"), type="primary", width="stretch"):
            _make(store, new)
    if name is None:
        return
    with two, st.popover(tr("Rename"), icon=":material/edit:", width="stretch"), st.form("rename class", border=False):
        new = st.text_input(tr("New name"), value=name, max_chars=64)
        if st.form_submit_button(tr("Rename"), width="stretch"):
            _rename(store, name, new)
    with three, st.popover(tr("Delete"), icon=":material/delete:", width="stretch"):
        st.write(
            tr(
                "This deletes **{classroom}** with its students, their face vectors and all its lessons. It cannot be "
                "undone.",
                classroom=plain(isolated(name)),
            )
        )
        sure = st.text_input(tr("To confirm, type the name of the class"))
        if st.button(tr("Delete permanently"), disabled=sure != name, width="stretch"):
            store.delete(name)
            st.session_state.pop("class", None)
            say_later(
                tr("{classroom} was deleted, with everything that was stored about it.", classroom=isolated(name))
            )
            st.rerun()


@calm
def _make(store: ClassStore, new: str) -> None:
    st.session_state["class"] = store.create(new)
    _leave_new()
    say_later(tr("The class {classroom} was created. Now add students.", classroom=new))
    st.rerun()


@calm
def _rename(store: ClassStore, name: str, new: str) -> None:
    try:
        st.session_state["class"] = store.rename(name, new)
    finally:  # it is renamed even if another program keeps the old name in the files for a while
        if store.exists(new):
            st.session_state["class"] = store.spelled(new)
    st.rerun()


@calm
def _roster(store: ClassStore, name: str) -> None:
    roster = store.roster(name)
    today = date.today()
    st.html(f'<p class="fs-muted">{escape(_count(roster, today))}</p>')
    if not roster.sample:
        class_photos.add(name, roster)
    if not roster.students:
        st.info(tr("This class has no students yet. Add them above."), icon=":material/person_add:")
        return
    if is_weaker(store.networks(name)):
        st.info(plain(f"{tr(weaker_note(name))} {tr(AGAIN_BY_CLICK)}"), icon=":material/info:")
    portraits = _portraits(store, roster)
    picked = board(roster_data(roster.students, today, roster.sample, portraits), key=f"roster {name}")
    if picked is not None and picked in roster.students:
        class_student.open_card(store, name, picked)


def _count(roster: Roster, today: date) -> str:
    students = len(roster.students)
    if roster.sample:
        return tr(
            "{number} invented students. The sample class contains only readings, so you cannot enroll anyone here.",
            number=students,
        )
    holding = len(roster.consenting(today))
    if not students:
        return tr("No students yet.")
    lacking = sum(not student.photos for student in roster.students.values())
    if lacking:
        return tr_n(
            "{number} student, {holding} with consent on file, {lacking} without a photo.",
            "{number} students, {holding} with consent on file, {lacking} without a photo.",
            students,
            holding=holding,
            lacking=lacking,
        )
    return tr_n(
        "{number} student, {holding} with consent on file. Click a card for details.",
        "{number} students, {holding} with consent on file. Click a card for details.",
        students,
        holding=holding,
    )


def _portraits(store: ClassStore, roster: Roster) -> dict[str, bytes]:
    if not Settings(owner=visitor()).portraits:
        return {}
    pictures = {student: store.portrait(roster.name, student) for student in roster.students}
    return {student: picture for student, picture in pictures.items() if picture}
