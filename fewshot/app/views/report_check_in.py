"""The check-in list of a report: why a student is on it, how it was closed, and the way to open it again."""

from __future__ import annotations

import streamlit as st

from fewshot.app.shell import calm, isolated, plain, say_later
from fewshot.app.views import report_student
from fewshot.session.check_in_answers import LONGEST_NOTE, close_check_in, open_check_in
from fewshot.session.lesson import Answer
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents, words
from fewshot.session.report.check_list import CheckItem
from fewshot.translation import later, tr

_ABOUT = later(
    "A check-in that nobody closes stays on the lists of the next two weeks. A note is encrypted. It stays in the app: "
    "no report has it. The copy of the data for the family has it, and it is deleted with the lesson or the student."
)


@calm
def check_in(store: LessonStore, contents: Contents) -> None:
    """Students who differed from their own usual, with the evidence; open ones first."""
    st.subheader(tr(words.CHECK_IN))
    if contents.checks is None:
        st.write(tr("This list needs a lesson of a class, with students whose faces could be read."))
        return
    # By its place on the list, which does not change when others are closed: a note that is half written stays.
    places = dict(enumerate(contents.items))
    for place, item in places.items():
        if item.answer is None:
            _open(store, contents, item, place)
    closed = {place: item for place, item in places.items() if item.answer is not None}
    if closed:
        st.subheader(tr("Closed"))
        for place, item in closed.items():
            _closed(store, contents, item, place)
    st.caption(words.check_in_words(contents.checks))
    if contents.items:
        st.caption(tr(_ABOUT))


def _open(store: LessonStore, contents: Contents, item: CheckItem, place: int) -> None:
    with st.container(border=True, key=f"check {contents.info.id} {place}"):
        _head(contents, item, place)
        found, *more = map(words.unbroken, words.item_words(item))
        st.markdown("  \n".join([plain(found), *(f":gray[{plain(line)}]" for line in more)]))
        with (
            st.form(f"close {contents.info.id} {place}", border=False, enter_to_submit=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            note = st.text_input(
                tr("Note about {student}", student=plain(isolated(item.student))),
                placeholder=tr("Note, if you want one"),
                max_chars=LONGEST_NOTE,
                label_visibility="collapsed",
                key=f"note {contents.info.id} {place}",
            )
            asked = st.form_submit_button(tr("Asked, fine"), icon=":material/check:")
            not_needed = st.form_submit_button(tr("Not needed"), icon=":material/close:")
        if asked or not_needed:
            _close(store, item, "asked, fine" if asked else "not needed", note)


@calm
def _close(store: LessonStore, item: CheckItem, answer: Answer, note: str) -> None:
    close_check_in(store, item.lessons, item.student, answer, note)
    student = isolated(item.student)
    say_later(
        tr("{student}: asked, fine. You can open it again below.", student=student)
        if answer == "asked, fine"
        else tr("{student}: not needed. You can open it again below.", student=student)
    )
    st.rerun()


def _closed(store: LessonStore, contents: Contents, item: CheckItem, place: int) -> None:
    with st.container(border=True, key=f"check {contents.info.id} {place}"):
        _head(contents, item, place)
        if item.answer is not None and item.answer.note:
            st.markdown(plain(f"“{isolated(item.answer.note)}”"))
        if st.button(tr("Open again"), key=f"open {contents.info.id} {place}", icon=":material/undo:"):
            _reopen(store, item)


@calm
def _reopen(store: LessonStore, item: CheckItem) -> None:
    open_check_in(store, item.lesson.id, item.student)
    deleted = tr("Its note was deleted.") if item.answer is not None and item.answer.note else ""
    opened = tr("The check-in of {student} is open again.", student=isolated(item.student))
    say_later(words.joined(opened, deleted))
    st.rerun()


def _head(contents: Contents, item: CheckItem, place: int) -> None:
    """The name, which leads to the student's lesson, and where the check-in stands."""
    number = contents.numbers.get(item.student)
    there = contents.grid is not None and item.student in contents.grid.students
    with st.container(horizontal=True, vertical_alignment="center"):
        name = plain(isolated(item.student))
        if number is None or not there:
            st.markdown(f"**{name}**")
        elif st.button(
            f"**{name}**",
            key=f"lesson of {contents.info.id} {place}",
            type="tertiary",
            help=tr("Show this student's lesson"),
        ):
            report_student.show_one(number)
        st.caption(plain(words.item_state(item)))
