"""Enrollment: half a minute with the camera, with the best pictures to accept or retake; or one class photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import streamlit as st

from fewshot.app.guided import OVAL, PROMPTS, Candidate, Guide, Prompt
from fewshot.app.language import date_format
from fewshot.app.palette import image, photo_html
from fewshot.app.shell import ask_to_acknowledge, calm, go, isolated, plain, say_advice, say_later, say_no_classes
from fewshot.app.views import class_photo, class_photos, photo_table
from fewshot.app.visitor import visitor
from fewshot.classroom.names import check_name, emotion_of
from fewshot.classroom.store import ClassStore
from fewshot.errors import UsageError
from fewshot.session.settings import Settings
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word

if TYPE_CHECKING:
    from fewshot.app.guided_run import GuidedRun


Kept = Mapping[str, Sequence[Candidate]]
Consents = tuple[str | None, date | None]
GOOD = later("Good. Stay like that.")
_LIKE = "guided like"
"""In the session: the student whom the pictures look like, after they were refused for that."""


def page() -> None:
    """Draw the page."""
    st.html(f"<h1>{escape(tr('Enrollment'))}</h1>")
    if say_no_classes():
        return
    run = st.session_state.get("guided")
    if run is None:
        _form()
    elif run.failure:
        st.error(plain(run.failure), icon=":material/info:")
        _leave(tr("Start again"))
    elif run.guide is not None and run.guide.progress.done:
        _review()
    else:
        _take()


@calm
def _form() -> None:
    store = ClassStore(owner=visitor())
    photo_table.recall_class(store)
    names = [name for name in store.names() if not store.is_sample(name)]
    if not names:
        st.info(tr("Create a class first, on the page Class."), icon=":material/group_add:")
        if st.button(tr("Create a class"), type="primary", icon=":material/group_add:"):
            go("classes", **{"class to make": True})
        return
    ask_to_acknowledge(
        tr(
            "First open the page Start, read where this may not be used, and click “I have read this and will follow "
            "it”."
        )
    )
    camera, files, photo = st.tabs([tr("With the camera"), tr("From photos"), tr("From a class photo")])
    with camera:
        _guided(store, names)
    with files:
        _from_photos(store, names)
    with photo:
        class_photo.section(names, st.session_state.get("class"))


@calm
def _from_photos(store: ClassStore, names: list[str]) -> None:
    wanted = st.session_state.get("class")
    name = st.selectbox(tr("Class of the photos"), names, index=names.index(wanted) if wanted in names else 0)
    class_photos.from_photos(name, store.roster(name))


@calm
def _guided(store: ClassStore, names: list[str]) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(border=True):
        wanted = st.session_state.get("class")
        name = st.selectbox(tr("Class"), names, index=names.index(wanted) if wanted in names else 0)
        before = st.session_state.get("student", "")
        student = st.text_input(tr("Student"), value=before, max_chars=64, placeholder="Asha")
        known = store.roster(name).students.get(student.strip())
        consents = known is not None and known.consent.holds(date.today())
        by: str | None = None
        until = None
        if not consents:
            one, two = st.columns(2)
            by = one.text_input(tr("Consent given by"), placeholder=tr("her mother, in writing")).strip() or None
            until = two.date_input(
                tr("Last day of the consent (if it ends)"), value=None, min_value=date.today(), format=date_format()
            )
        states = st.pills(
            tr("States to show"), [prompt.state for prompt in PROMPTS], selection_mode="multi",
            default=[prompt.state for prompt in PROMPTS], format_func=emotion_word,
        )  # fmt: skip
        own = st.text_input(
            tr("Another state of this student (optional)"), placeholder=emotion_word("concentrating"), max_chars=40
        )
        blocked = Settings(owner=visitor()).acknowledged is None
        if st.button(tr("Start the camera"), type="primary", icon=":material/photo_camera:", disabled=blocked):
            _begin(name, student, (by, until, consents), list(states), own)
    with right:
        st.write(
            tr(
                "The student sits in front of the camera and follows the prompts. Each prompt takes seven seconds. The "
                "program offers the sharpest frontal pictures that match the prompt. You accept them or take them "
                "again. Face vectors are kept; pictures are not."
            )
        )


@calm
def _begin(name: str, student: str, consent: tuple[str | None, date | None, bool], states: list[str], own: str) -> None:
    from fewshot.app.setups import guided_run

    student = check_name(student, "student")
    by, until, holds = consent
    if by is None and not holds:
        raise UsageError(tr("Who gave consent? Fill in the field “Consent given by”."))
    prompts = [prompt for prompt in PROMPTS if prompt.state in states]
    if own.strip():
        state = emotion_of(own)
        words = tr("Show how you look when you are {state}.", state=emotion_word(state))
        prompts.append(Prompt(state, words))
    if not prompts:
        raise UsageError(tr("No state is chosen. Choose at least one under “States to show”."))
    st.session_state["guided"] = guided_run(name, prompts)
    st.session_state["guided for"] = (name, student, by, until)
    st.session_state["guided"].start()
    st.rerun()


def _take() -> None:
    from fewshot.app.components import mirror
    from fewshot.app.streamer import send_camera
    from fewshot.app.webrtc import CONSTRAINTS

    run = st.session_state["guided"]
    left, right = st.columns([3, 2], gap="large")
    with left:
        place = st.container(key="mirror")
        if send_camera(run.camera, key="fewshot-guided"):
            with place:
                mirror(OVAL, CONSTRAINTS, f"mirror {run.camera.number}")
    with right:
        st.fragment(_prompt, run_every=0.3)()
        _leave(tr("Stop"))


@calm
def _prompt() -> None:
    run = st.session_state.get("guided")
    if run is None:
        return
    guide: Guide | None = run.guide
    progress = guide.progress if guide is not None else None
    if run.failure or (progress is not None and progress.done):
        st.rerun()
    if guide is None or progress is None:
        st.info(tr("Loading the models …"), icon=":material/hourglass:")
        return
    prompt = guide.prompts[progress.index]
    words = escape(tr(prompt.words) if run.camera.received else tr("Waiting for the camera …"))
    place = escape(tr("{number} of {all}", number=progress.index + 1, all=len(guide.prompts)))
    st.html(
        f'<div role="status" aria-live="polite"><p class="fs-muted">{place}</p>'
        f'<p class="fs-prompt">{image(prompt.state, 56)} {words}</p></div>'
    )
    st.html(_oval(bool(progress.hint), progress.ready))
    st.progress(1 - progress.left / prompt.seconds, tr("Taking pictures") if progress.ready else tr("Get ready"))
    tip = escape(tr(progress.hint)) or (escape(tr(GOOD)) if run.camera.received else "&nbsp;")
    st.html(f'<p class="fs-tip{"" if progress.hint else " good"}" aria-live="polite">{tip}</p>')
    done = [f"{image(p.state)} {min(n, 9)}" for p, n in zip(guide.prompts, progress.counts, strict=True)]
    good = escape(tr("Good pictures so far:"))
    st.html(f'<p class="fs-muted">{good} {" &nbsp; ".join(done)}</p>')
    say_advice(run.advice)


@calm
def _review() -> None:
    run, (name, student, by, until) = st.session_state["guided"], st.session_state["guided for"]
    guide: Guide = run.guide
    st.write(
        tr(
            "**{student}**: keep the pictures that show the state well, and take the others again.",
            student=plain(isolated(student)),
        )
    )
    say_advice(run.advice)
    kept: dict[str, list[Candidate]] = {}
    for index, prompt in enumerate(guide.prompts):
        kept[prompt.state] = _row(run, index, prompt)
    left, right, _ = st.columns([1, 1, 2])
    count = sum(map(len, kept.values()))
    label = tr_n("Enroll {number} picture", "Enroll {number} pictures", count)
    if left.button(label, type="primary", disabled=count == 0, width="stretch"):
        _enroll(name, student, kept, (by, until))
    with right:
        _leave(tr("Discard all"))
    if _LIKE in st.session_state:
        _ask_who(name, student, kept, (by, until))


def _oval(wrong: bool, ready: bool) -> str:
    """The colour of the oval in the mirror, as a style: green while all is well."""
    return f"<style>.st-key-mirror {{ --fs-oval: {'#f3b562' if wrong else '#3ecf8e' if ready else '#ffffff'} }}</style>"


def _row(run: GuidedRun, index: int, prompt: Prompt) -> list[Candidate]:
    kept = []
    with st.container(border=True, key=f"prompt {index}"):
        columns = st.columns([1.1, 1, 1, 1, 0.9], vertical_alignment="center")
        columns[0].html(
            f'<p class="fs-prompt small">{image(prompt.state, 30)} {escape(emotion_word(prompt.state))}</p>'
        )
        best = run.guide.best(index) if run.guide is not None else []
        if not best:
            columns[1].caption(
                tr("There is no good picture. Click Retake, with more light, closer to the camera and facing it.")
            )
        if best and not any(candidate.fits for candidate in best):
            st.caption(
                tr(
                    "The network sees {state} in none of these. Tick one only if the student looks like that then, or "
                    "take the pictures again.",
                    state=plain(emotion_word(prompt.state)),
                )
            )
        for number, (column, candidate) in enumerate(zip(columns[1:4], best, strict=False), 1):
            jpeg = cv2.imencode(".jpg", candidate.picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
            column.html(photo_html(jpeg, f"{emotion_word(prompt.state)} {number}", 150))
            seen = plain(emotion_word(candidate.reads))
            words = tr("keep") if candidate.fits else tr("keep (the network sees {state})", state=seen)
            if column.checkbox(words, value=candidate.fits, key=f"keep {index} {candidate.time:.3f}"):
                kept.append(candidate)
        if columns[4].button(tr("Retake"), key=f"retake {index}", icon=":material/refresh:", width="stretch"):
            run.retake(index)
            st.rerun()
    return kept


def _called(picture: Path) -> str:
    """Which picture it is: ``enroll_candidates`` calls it by its state and a number."""
    state, _, number = str(picture).rpartition(" ")
    return f"{emotion_word(state)} {number}"


@calm
def _enroll(name: str, student: str, kept: Kept, consent: Consents, looks_like: Sequence[str] = ()) -> None:
    from fewshot.app.guided_run import enroll_candidates
    from fewshot.app.setups import open_class

    st.session_state.pop(_LIKE, None)
    with st.spinner(tr("Enrolling …")):
        result = enroll_candidates(open_class(name), student, kept, *consent, looks_like)
    accepted = result.count("accepted")
    if not accepted and result.looks_like:
        st.session_state[_LIKE] = result.looks_like
        st.rerun()
    if not accepted:
        for photo in result.photos:
            st.warning(plain(f"{_called(photo.path)}: {tr(photo.reason)}"))
    else:
        st.session_state.pop("guided").stop()
        why = "".join(f" {_called(photo.path)}: {tr(photo.reason)}." for photo in result.rejected)
        refused = len(result.rejected)
        said = tr_n(
            "{student}: {number} picture enrolled, {refused} refused.",
            "{student}: {number} pictures enrolled, {refused} refused.",
            accepted,
            student=isolated(student),
            refused=refused,
        )
        say_later(f"{said}{why}")
        st.session_state["class"] = name
        st.switch_page(st.session_state["pages"]["classes"])


def _ask_who(name: str, student: str, kept: Kept, consent: Consents) -> None:
    """The pictures look like a student of the class: add them to that one, two people, or leave them out."""
    other = st.session_state[_LIKE]
    shown = plain(isolated(other))
    st.info(
        tr(
            "Nothing was enrolled yet: this face is like that of {student}, who is in the class. Is it the same "
            "person, or are they two people, such as twins? If they are two, the program may later show no name, or "
            "the name of the other one.",
            student=shown,
        ),
        icon=":material/group:",
    )
    one, two, three = st.columns(3)
    if one.button(tr("Add to {student}", student=shown), key="guided same", width="stretch"):
        _enroll(name, other, kept, (None, None))
    if two.button(tr("Two people, such as twins"), key="guided twins", width="stretch"):
        _enroll(name, student, kept, consent, [other])
    with three:
        _leave(tr("Leave out"))


def _leave(words: str) -> None:
    if st.button(words, width="stretch"):
        st.session_state.pop(_LIKE, None)
        run = st.session_state.pop("guided", None)
        if run is not None:
            run.stop()
        st.rerun()
