"""Live, before a lesson runs: where names come from. The choice is remembered for each class."""

from __future__ import annotations

import streamlit as st

from fewshot.app.shell import plain
from fewshot.call_labels.reader import can_read
from fewshot.call_labels.students import Names
from fewshot.classroom.class_choices import choose_names_from, names_from
from fewshot.classroom.store import ClassStore
from fewshot.translation import later, tr

NAMES_FROM = {
    later("From faces"): (Names.faces, later("Students are recognised by their faces.")),
    later("From faces, checked with the labels of the call"): (
        Names.both,
        later(
            "Zoom, Meet and Teams write a name on each tile. If it names another student than the face, neither is "
            "shown. The label of an unknown face is offered to you under “Who is this?”."
        ),
    ),
    later("From the labels of the call only"): (
        Names.labels,
        later(
            "No face is recognised and no identity vector is computed. A label that is no consenting student's name is "
            "dropped at once. Write the names in the class as they are in the call."
        ),
    ),
}
"""Answer -> where names come from, and what it means."""
NO_LABELS = later("A camera shows no labels, so students are recognised by their faces in this lesson.")
NO_READER = later(
    "The labels of a call cannot be read here, because the extra “labels” (the package rapidocr) is not installed. "
    "Install it, or choose “From faces”."
)


def choose(store: ClassStore, classroom: str, camera: bool) -> Names:
    """The choice, where a call may be seen and its labels can be read; else faces.

    A tab keeps what it shows, also if another tab chooses something else meanwhile: a lesson must not begin with
    anything that the teacher did not see.

    Args:
        store: the classes of the visitor.
        classroom: one of them.
        camera: the source is a camera.
    """
    key = f"names_from {classroom}"
    if key not in st.session_state:  # shown for the first time, or again
        st.session_state[key] = _answer(names_from(store, classroom))
    kept = st.session_state[key]
    unusual = NAMES_FROM[kept][0] is not Names.faces
    if camera or not (can_read() or unusual):
        st.session_state[key] = kept  # Streamlit forgets what is not drawn
        if unusual:
            st.caption(tr(NO_LABELS))
        return Names.faces
    chosen = st.selectbox(tr("Names"), list(NAMES_FROM), key=key, format_func=tr)
    names, meaning = NAMES_FROM[chosen]
    st.caption(tr(meaning))
    if names is not Names.faces and not can_read():
        st.warning(plain(tr(NO_READER)))
    # Compared with what this tab had last, so that a tab that is only drawn again does not undo another one's choice.
    if st.session_state.setdefault(f"{key}: last", chosen) != chosen:
        choose_names_from(store, classroom, names.value)
        st.session_state[f"{key}: last"] = chosen
    return names


def _answer(kept: str) -> str:
    return next((answer for answer, (names, _) in NAMES_FROM.items() if names.value == kept), next(iter(NAMES_FROM)))
