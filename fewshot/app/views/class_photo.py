"""On the page Enrollment: one photo of the class, a tile for every face, and "Who is this?"."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fewshot.app.class_photo import ClassPhoto, PhotoFace
from fewshot.app.lesson_guests import enroll_guest
from fewshot.app.shell import calm, isolated, plain, say_later
from fewshot.app.upload_files import content, forget
from fewshot.app.views.who_is_this import ask, faces_html, outcome
from fewshot.app.visitor import visitor
from fewshot.errors import FewshotError, UsageError
from fewshot.pictures import PICTURE_SUFFIXES
from fewshot.session.settings import Settings
from fewshot.session.temporary import TemporaryFolder
from fewshot.translation import altered, later, tr, tr_n

NOTICE = later(
    "Choose one photo of the whole class. Every face gets a tile, and you say who it is. The faces are only in "
    "memory, and in no file. Nothing is stored until you have written a name and who gave consent. The faces vanish "
    "when you delete them here, or close this tab; the photo itself is deleted at once."
)
_PHOTO, _CHOSEN, _FIELD = "class photo", "class photo face", "class photo field"
"""In the session of a tab: the faces, the number of the one that is being named, and how many photos were chosen."""
_ROOM = "class photo room"
"""In the session: the class, so that its models are loaded once and not for every face."""
_PER_ROW = 5


@calm
def section(names: list[str], wanted: str | None) -> None:
    """Draw the part of the page.

    Args:
        names: the teacher's own classes, at least one.
        wanted: the class that is chosen elsewhere.
    """
    photo: ClassPhoto | None = st.session_state.get(_PHOTO)
    if photo is not None and photo.classroom not in names:
        _forget()  # the class was deleted or renamed
        photo = None
    if photo is None:
        _choose(names, wanted)
        return
    face = photo.of(st.session_state.get(_CHOSEN, 0))
    if face is None:
        _tiles(photo)
    else:
        _name(photo, face)


def _choose(names: list[str], wanted: str | None) -> None:
    st.caption(tr(NOTICE))
    if Settings(owner=visitor()).acknowledged is None:
        return  # the page says so above
    name = st.selectbox(tr("Class of the photo"), names, index=names.index(wanted) if wanted in names else 0)
    kinds = sorted(suffix[1:] for suffix in PICTURE_SUFFIXES)
    number = st.session_state.setdefault(_FIELD, 0)
    sent = st.file_uploader(tr("Class photo"), type=kinds, key=f"classphoto {number}")
    if sent is None:
        return
    data = content(sent)
    st.session_state[_FIELD] = number + 1  # a separate field for the next photo; this one is used up
    try:
        with st.spinner(tr("Looking for faces …")):
            st.session_state[_PHOTO] = _cut(name, sent.name, data)
    finally:
        forget([sent])
    st.rerun()


def _cut(name: str, called: str, data: bytes | Path) -> ClassPhoto:
    from fewshot.app.setups import class_photo
    from fewshot.pictures import read_picture
    from fewshot.private_files import write_private

    with TemporaryFolder("picture") as folder:
        path = data if isinstance(data, Path) else Path(folder) / "photo"
        if isinstance(data, bytes):
            write_private(path, data)
        try:
            photo = read_picture(path)
        except FewshotError as error:
            raise UsageError(altered(error.text, lambda text: text.replace(str(path), called))) from error
    return class_photo(name, photo)


def _tiles(photo: ClassPhoto) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.write(
        tr_n(
            "**{name}**: {number} face of the photo not named yet. Nothing of them is stored.",
            "**{name}**: {number} faces of the photo not named yet. Nothing of them is stored.",
            len(photo.faces),
            name=plain(isolated(photo.classroom)),
        )
    )
    if right.button(tr("Delete these faces"), icon=":material/delete:", key="delete photo faces", width="stretch"):
        _forget()
        st.rerun()
    for start in range(0, len(photo.faces), _PER_ROW):
        columns = st.columns(_PER_ROW)
        for column, face in zip(columns, photo.faces[start : start + _PER_ROW], strict=False):
            with column.container(border=True):
                _tile(face)


def _tile(face: PhotoFace) -> None:
    number = face.person.number
    st.html(faces_html(face.person.crops, tr("Face {number} of the class photo", number=number)))
    if face.problem:
        st.caption(plain(tr("Face {number} cannot be enrolled: {problem}.", number=number, problem=tr(face.problem))))
        return
    if face.like:
        words = tr("Face {number}, like {student}, who is enrolled", number=number, student=isolated(face.like))
    else:
        words = tr("Face {number}", number=number)
    st.caption(plain(words))
    if st.button(tr("Who is this?"), key=f"who in photo {number}", width="stretch"):
        st.session_state[_CHOSEN] = number
        st.rerun()


def _name(photo: ClassPhoto, face: PhotoFace) -> None:
    from fewshot.app.setups import open_class, states_of

    if _ROOM not in st.session_state:
        st.session_state[_ROOM] = open_class(photo.classroom)
    number, room = face.person.number, st.session_state[_ROOM]
    with st.container(border=True, key="who is this"):
        done = ask(
            face.person, room.roster(), states_of(room),
            lambda naming: enroll_guest(room, face.person, naming, from_camera=False),
            f"photo {st.session_state.get(_FIELD)} {number}", timed=False,
        )  # fmt: skip
        if done is not None:
            st.session_state[_PHOTO] = photo.without(number)
            st.session_state.pop(_CHOSEN, None)
            say_later(outcome(done))
            st.rerun()
        left, right = st.columns(2)
        if left.button(tr("Not a student"), icon=":material/person_off:", key="not in class", width="stretch"):
            st.session_state[_PHOTO] = photo.without(number)
            st.session_state.pop(_CHOSEN, None)
            st.rerun()
        if right.button(tr("Back"), key="leave face", width="stretch"):
            st.session_state.pop(_CHOSEN, None)
            st.rerun()


def _forget() -> None:
    for name in (_PHOTO, _CHOSEN, _ROOM):
        st.session_state.pop(name, None)
