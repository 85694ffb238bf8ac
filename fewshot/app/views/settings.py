"""Settings: privacy, models with their licences, performance, connection, and the network's model card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from fewshot.app import server
from fewshot.app.language import language_field
from fewshot.app.lesson_room import ROOM
from fewshot.app.shell import calm, go, plain, say_later
from fewshot.app.views.settings_accounts import show_accounts
from fewshot.app.views.settings_audit import show_audit
from fewshot.app.views.settings_safety import show_safety
from fewshot.app.visitor import visitor
from fewshot.classroom.owners import Owners
from fewshot.classroom.places import on_computer
from fewshot.session import retention, turn_password
from fewshot.session.analysis.words import day, decimal_sign
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import USUAL_RETENTION, Settings
from fewshot.translation import ENGLISH, LANGUAGE, later, tr, tr_n

if TYPE_CHECKING:
    from fewshot.models.files import Check

DETECTORS = {
    "auto": later("Automatic: SCRFD if it is installed, otherwise the built-in detector"),
    "scrfd": later("SCRFD (InsightFace): for non-commercial research only"),
    "yunet": later("YuNet (OpenCV): MIT licence"),
    "cascade": later("Built-in: needs no download, but is slower and finds fewer faces"),
}


DOWNLOAD = later("Download the missing models")


def page() -> None:
    """Draw the page."""
    if st.session_state.pop("to live", False):
        go("live")
    st.html(f"<h1>{escape(tr('Settings'))}</h1>")
    with st.container(key="settings"):  # fields as wide as a large screen would be hard to read
        _parts()


def _parts() -> None:
    language_field()
    parts = {
        later("Privacy"): _privacy,
        later("Models"): _models,
        later("Performance"): _performance,
        later("Connection"): _connection,
        later("Model card"): _card,
    }
    parts[later("Audit log")] = show_audit
    if visitor().manages:
        parts[later("Safety")] = show_safety
        parts[later("Accounts")] = show_accounts
    for tab, part in zip(st.tabs([tr(name) for name in parts]), parts.values(), strict=True):
        with tab:
            part()


@calm
def _privacy() -> None:
    settings = Settings(owner=visitor())
    if settings.owner.teaches:
        _own(settings)
    # Alone on this computer, a teacher's own choice is enough.
    if settings.owner.manages and (not settings.owner.teaches or len(Owners().all()) > 1):
        _longest(settings)


def _own(settings: Settings) -> None:
    """What each teacher decides for their own classes."""
    here = on_computer(server.place())
    st.write(
        plain(
            tr(
                "Pictures are not kept. Face vectors, readings, markers and corrections are kept, {here} only.",
                here=here,
            )
        )
    )
    aggregate = st.toggle(
        tr("Whole class only: lessons keep counts for the class, and nothing about single students"),
        value=settings.aggregate_only,
        help=tr("With fewer than five people, nothing is shown. This applies to lessons that start from now on."),
    )
    portraits = st.toggle(tr("Allow a small picture on each student's card"), value=settings.portraits)
    longest = settings.longest_retention
    keep = st.toggle(
        tr("Delete old lessons automatically"), value=settings.retention_days is not None, disabled=longest is not None
    )
    days = None
    if keep:
        now = settings.retention_days or USUAL_RETENTION
        days = int(st.number_input(tr("after this number of days"), min_value=1, max_value=longest, value=now))
        st.caption(_too_old(days))
    if longest is not None:
        st.caption(
            tr_n(
                "An administrator has chosen that lessons are kept for at most {number} day.",
                "An administrator has chosen that lessons are kept for at most {number} days.",
                longest,
            )
        )
    if st.button(tr("Save"), type="primary", key="save privacy"):
        settings.aggregate_only, settings.portraits, settings.retention_days = aggregate, portraits, days
        say_later(tr("Saved."))
        st.rerun()
    _held_back()
    since = settings.acknowledged
    st.caption(
        tr("You confirmed the terms of use on {day}.", day=day(since))
        if since
        else tr("You have not confirmed the terms of use yet. They are on the page Start.")
    )


def _longest(settings: Settings) -> None:
    """What an administrator, or the local teacher, decides for everybody."""
    with st.container(border=True):
        st.write(tr("**For all teachers of this installation**"))
        longest = settings.longest_retention
        limited = st.toggle(tr("Limit how long lessons are kept"), value=longest is not None)
        days = None
        if limited:
            days = int(st.number_input(tr("at most this number of days"), min_value=1, value=longest or 90))
            count = retention.older_than(days)
            st.caption(
                tr_n(
                    "{number} lesson of all teachers is older. After Save it is deleted when the next lesson starts. "
                    "Each teacher can choose fewer days.",
                    "{number} lessons of all teachers are older. After Save they are deleted when the next lesson "
                    "starts. Each teacher can choose fewer days.",
                    count,
                )
                if count
                else tr("No lesson of any teacher is older. Each teacher can choose fewer days.")
            )
        if st.button(tr("Save"), key="save longest"):
            settings.longest_retention = days
            say_later(tr("Saved."))
            st.rerun()


def _too_old(days: int) -> str:
    limit = datetime.now(UTC) - timedelta(days=days)
    count = sum(lesson.started < limit for lesson in LessonStore(owner=visitor()).lessons())
    if not count:
        return tr("No lesson is older.")
    return tr_n(
        "{number} lesson is older. After Save it is deleted when the next lesson starts.",
        "{number} lessons are older. After Save they are deleted when the next lesson starts.",
        count,
    )


def _held_back() -> None:
    """Old lessons that wait for a confirmation: the first deletion, an unusually large one, or a doubtful clock."""
    held = LessonStore(owner=visitor()).held_back()
    if held is None:
        return
    now = datetime.now()
    today = f"{now:%d %B %Y}" if LANGUAGE.get() == ENGLISH else day(now)
    st.warning(
        f"{tr(held.text)} {tr('Today is {day}: is that right?', day=today)}",
        icon=":material/auto_delete:",
    )
    if st.button(tr("Delete these old lessons now")):
        deleted = LessonStore(owner=visitor()).delete_old()
        say_later(tr_n("{number} lesson deleted.", "{number} lessons deleted.", deleted))
        st.rerun()


@calm
def _models() -> None:
    from fewshot.models.files import list_models

    settings = Settings(owner=visitor())
    names = list(DETECTORS)
    now = str(settings.get("detector", "auto"))
    managed = settings.owner.manages
    chosen = st.selectbox(
        tr("Face detector"),
        names,
        index=names.index(now),
        format_func=lambda name: tr(DETECTORS[name]),
        disabled=not managed,
    )
    if not managed:
        st.caption(tr("An administrator chooses the detector and downloads models."))
    if chosen != now:
        settings.set("detector", chosen)
        say_later(tr("The next lesson will use this detector."))
        st.rerun()
    rows = [
        {
            tr("Model"): check.model.name,
            tr("What it does"): tr(check.model.task),
            tr("Installed"): _here(check),
            tr("Licence"): tr(check.model.licence),
        }
        for check in list_models()
    ]
    st.table(rows)
    missing = [check.model.name for check in list_models() if check.path is None and check.model.remote()]
    if missing and managed and st.button(f"{tr(DOWNLOAD)} ({', '.join(missing)})"):
        _pull()


def _here(check: Check) -> str:
    """Whether a model can be used, and if not, what to click."""
    if check.ok:
        return tr("yes")
    if check.model.embedded:
        return tr("no: install fewshot again")
    if check.path is None and check.model.remote():
        return tr("no: click “{button}” below", button=tr(DOWNLOAD))
    if check.path is None:
        return tr("no: not part of this installation")
    return tr("no: {file} is damaged or another file. Delete it, then load this page again.", file=check.path)


@calm
def _pull() -> None:
    from fewshot.models.files import pull

    with st.spinner(tr("Downloading …")):
        pull([])
    say_later(tr("All models are installed now."))
    st.rerun()


@calm
def _performance() -> None:
    st.fragment(_figures, run_every=1.0)()


@calm
def _figures() -> None:
    lessons = ROOM.alive(visitor())
    if not lessons:
        st.info(tr("No lesson is running. Start one on the page Live, then come back here."), icon=":material/speed:")
        if st.button(tr("Open the page Live"), icon=":material/sensors:"):
            st.session_state["to live"] = True
            st.rerun()  # a fragment cannot change the page, the whole page can
    for lesson in lessons:
        view = lesson.view()
        st.subheader(plain(view.plan.classroom) or tr("Without a class"))
        if not view.metrics:
            st.caption(tr("This is a recorded lesson, so there is nothing to measure."))
            continue
        _show_figures(view.metrics)


def _show_figures(metrics: dict[str, Any]) -> None:
    columns = st.columns(5)
    dropped = sum(metrics["dropped"].values())
    for column, (name, value) in zip(
        columns,
        (
            (tr("Frames per second"), f"{metrics['processed_rate']:.1f}"),
            (tr("Frames per second of the source"), f"{metrics['capture_rate']:.1f}"),
            (tr("Skipped frames"), f"{dropped}"),
            (tr("Faces"), f"{metrics['faces']}"),
            (tr("Memory"), f"{metrics['memory_mb']:.0f} MB"),
        ),
        strict=True,
    ):
        column.metric(name, value, border=True)
    rows = [
        {
            tr("Stage"): stage,
            tr("Median (ms)"): f"{times['p50_ms']:.1f}",
            tr("95th percentile (ms)"): f"{times['p95_ms']:.1f}",
            tr("Slowest (ms)"): f"{times['max_ms']:.1f}",
        }
        for stage, times in metrics["stages"].items()
    ]
    st.table(rows)
    waiting = ", ".join(f"{name} {count}" for name, count in metrics["queues"].items()) or tr("none")
    where = ", ".join(f"{name} {count}" for name, count in metrics["dropped"].items() if count) or tr("none")
    st.caption(
        tr(
            "Waiting frames: {waiting}. Skipped frames: {where}. Age of the oldest reading: {age} s.",
            waiting=waiting,
            where=where,
            age=f"{metrics['age_max']:.2f}",
        )
    )


@calm
def _connection() -> None:
    settings = Settings(owner=visitor())
    if not settings.owner.manages:
        st.info(
            tr("An administrator sets the connection for all teachers of this installation."), icon=":material/lan:"
        )
        return
    ice = dict(settings.get("ice", {}) or {})
    st.write(
        tr(
            "You need this only if the camera is on another device than fewshot. On the same computer it needs no "
            "server and no internet. Browsers allow a camera only on pages at `http://localhost` or over HTTPS."
        )
    )
    with st.form("ice", border=False):
        servers = st.text_area(
            tr("STUN and TURN servers, one per line"),
            value=ice.get("servers", ""),
            placeholder="stun:stun.example.org:3478",
        )
        name = st.text_input(tr("User name (TURN)"), value=ice.get("username", ""))
        saved, elsewhere = bool(settings.turn_password), turn_password.from_environment()
        # Never the password itself: whoever sees the page could read it.
        word = st.text_input(
            tr("Password (TURN)"),
            type="password",
            disabled=elsewhere,
            key=f"turn password {st.session_state.get('turn passwords', 0)}",
            placeholder=tr("A password is saved. Leave this empty to keep it.") if saved else "",
            help=tr(
                "It is kept in a file {here} that only the account of fewshot can read.",
                here=on_computer(server.place()),
            ),
        )
        forget = st.checkbox(tr("Forget the saved password")) if saved and not elsewhere else False
        if elsewhere:
            st.caption(
                tr("The password comes from the environment variable {variable}.", variable=turn_password.VARIABLE)
            )
        if st.form_submit_button(tr("Save")):
            settings.set("ice", {"servers": servers, "username": name})
            if not elsewhere and (word or forget):
                settings.turn_password = "" if forget else word
                # An empty field, instead of the one with the password.
                st.session_state["turn passwords"] = st.session_state.get("turn passwords", 0) + 1
            say_later(tr("Saved. The next lesson will use it."))
            st.rerun()


@calm
def _card() -> None:
    from fewshot.models.files import resolve

    weights = resolve("expression")
    size = f"{weights.stat().st_size / 1e6:.1f}".replace(".", decimal_sign())
    st.caption(tr("Network file: {name}, {size} MB", name=weights.name, size=size))
    if LANGUAGE.get() != ENGLISH:
        st.caption(tr("The model card is in English."))
    card = resolve("expression").with_name("model_card.md")
    st.markdown(card.read_text(encoding="utf-8"))
