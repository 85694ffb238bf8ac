"""Page of the demo: upload a photo of yourself, teach one or two, and see what changes."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.hosted.limits import MOST_MEGABYTES, decoded, taken
from fewshot.app.hosted.own_photos import MOST_TAUGHT, Compared, OwnPhotos
from fewshot.app.hosted.visitors import IDLE, visit
from fewshot.app.palette import image, look_of
from fewshot.app.server import place
from fewshot.app.shell import calm, isolated, plain, say_advice, say_later
from fewshot.session.analysis.words import percent
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word
from fewshot.types import EMOTIONS, Frame, Reading

_OWN, _RESULT, _ROUND, _AGREED = "own photos", "compared", "uploads so far", "agreed"
_KINDS = ["jpg", "jpeg", "png", "webp"]
_ANOTHER = later("another word")
_SHOWN = 4
"""States of a reading, most probable first."""


def notice() -> str:
    """Where the pictures of a visitor go, and when they are forgotten."""
    return tr(
        "**Your pictures leave your computer: they go to the server {server}.** It computes numbers from the face, "
        "and keeps them in its memory, with the picture to test. Nobody else sees them. They are deleted when you "
        "click “Forget my photos”, when you close or reload this page, or after {minutes} minutes without a click.",
        server=place(),
        minutes=f"{IDLE / 60:.0f}",
    )


def page() -> None:
    """Draw the page."""
    st.html(f"<h1>{escape(tr('Try with your own photos'))}</h1>")
    st.warning(notice(), icon=":material/cloud_upload:")
    agreed = st.checkbox(
        tr("I am an adult, the photos show only myself, and I agree to this."), key=_AGREED,
        help=tr("Do not upload photos of students, children or anybody else."),
    )  # fmt: skip
    if not agreed:
        _clear()
        return
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        _test()
    with right, st.container(border=True):
        _teach()
    _result()


def _own() -> OwnPhotos:
    kept = visit().own
    if _OWN not in kept:
        kept[_OWN] = OwnPhotos()
    found: OwnPhotos = kept[_OWN]
    return found


def _clear() -> None:
    visit().own.pop(_OWN, None)
    st.session_state.pop(_RESULT, None)


@calm
def _forget() -> None:
    _clear()
    st.session_state[_AGREED] = False
    say_later(tr("Your photos and what was learned from them are deleted."))


@calm
def _test() -> None:
    st.subheader(tr("1. A photo to test"))
    st.caption(tr("For example one where you look confused."))
    picture = _uploaded("test")
    if picture is not None:
        with st.spinner(tr("Reading your photo …")):
            st.session_state[_RESULT] = _own().read(picture)
        _next_upload()


@calm
def _teach() -> None:
    st.subheader(tr("2. Other photos, to learn from"))
    st.caption(tr("Say what a photo shows. One photo is enough to begin with."))
    states = [*EMOTIONS, _ANOTHER]
    chosen = st.selectbox(
        tr("What the photo shows"), states, index=states.index("neutral"), key="state",
        format_func=lambda state: tr(state) if state == _ANOTHER else emotion_word(state),
    )  # fmt: skip
    word = chosen
    if chosen == _ANOTHER:
        word = st.text_input(tr("Which word?"), placeholder=emotion_word("confused"), max_chars=30, key="own word")
    picture = _uploaded("teach") if word else None
    if picture is not None:
        own = _own()
        with st.spinner(tr("Learning from your photo …")):
            own.teach(picture, str(word))
            if own.test is not None:
                st.session_state[_RESULT] = own.read(own.test)
        say_later(tr("Learned: {state}", state=emotion_word(own.taught[-1])))
        _next_upload()
    taught = visit().own[_OWN].taught if _OWN in visit().own else ()
    if taught:
        st.write(
            tr_n(
                "Learned from {number} photo of at most {most}:",
                "Learned from {number} photos of at most {most}:",
                len(taught),
                most=MOST_TAUGHT,
            )
        )
        st.write(plain(", ".join(isolated(emotion_word(state)) for state in taught)))


def _uploaded(name: str) -> Frame | None:
    """The picture that was just uploaded here. Its file is forgotten at once, also if it cannot be used."""
    number = st.session_state.setdefault(_ROUND, 0)
    file = st.file_uploader(tr("Photo"), type=_KINDS, key=f"{name} {number}", max_upload_size=MOST_MEGABYTES)
    return None if file is None else decoded(taken(file))


def _next_upload() -> None:
    """Empty fields for the next photo."""
    st.session_state[_ROUND] += 1
    st.rerun()


@calm
def _result() -> None:
    compared: Compared | None = st.session_state.get(_RESULT)
    own: OwnPhotos | None = visit().own.get(_OWN)
    if own is None:
        st.session_state.pop(_RESULT, None)
        return
    if compared is not None:
        left, right = st.columns(2, gap="large")
        with left:
            st.subheader(tr("Without your photos"))
            st.html(rows_html(compared.without))
        with right:
            st.subheader(tr("With your photos"))
            if compared.taught is not None:
                st.html(rows_html(compared.taught))
            elif own.taught:
                st.write(tr("This face was not recognised as the one in the photos that you taught."))
            else:
                st.write(tr("Nothing was taught yet."))
        if compared.faces > 1:
            st.caption(tr("The picture has {number} faces. The largest one was read.", number=compared.faces))
        say_advice(own.advice())
    st.button(tr("Forget my photos"), icon=":material/delete:", on_click=_forget)


def rows_html(reading: Reading) -> str:
    """The verdict on a face, and its most probable states with bars."""
    said = reading.emotion or "unsure"
    rows = "".join(
        f'<span class="fs-chip" style="margin:0">{image(state)}{escape(isolated(emotion_word(state)))}</span>'
        f'<span class="b"><i style="width:{100 * share:.0f}%;background:{look_of(state).colour}"></i></span>'
        f'<span class="n">{percent(share)}</span>'
        for state, share in sorted(reading.probabilities.items(), key=lambda item: -item[1])[:_SHOWN]
    )
    word = escape(isolated(emotion_word(said)))
    return f'<p class="fs-big">{image(said, 28)} {word}</p><div class="fs-rows">{rows}</div>'
