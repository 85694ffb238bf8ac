"""Settings: models and licences, detector, privacy, connection, figures of what runs, the network's model card."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fewshot.app.lesson_room import ROOM
from fewshot.app.shell import calm, say_later
from fewshot.session.settings import Settings

DETECTORS = {
    "auto": "The best that is here (SCRFD, else the built-in one)",
    "scrfd": "SCRFD: InsightFace's, non-commercial research only",
    "yunet": "YuNet: OpenCV's, MIT",
    "cascade": "Built-in: needs no download, slower and finds fewer faces",
}


def page() -> None:
    """Draw the page."""
    st.html("<h1>Settings</h1>")
    names = ["Privacy", "Models", "Performance", "Connection", "Model card"]
    parts = (_privacy, _models, _performance, _connection, _card)
    for tab, part in zip(st.tabs(names), parts, strict=True):
        with tab:
            part()


@calm
def _privacy() -> None:
    settings = Settings()
    st.write("Pictures are not kept. Vectors, readings, markers and corrections are, on this computer only.")
    aggregate = st.toggle(
        "Whole class only: lessons keep counts over the class, and nothing of any student",
        value=settings.aggregate_only,
        help="Fewer than five people show nothing. Holds for lessons that start from now on.",
    )
    portraits = st.toggle("Allow a small picture on students' cards", value=settings.portraits)
    keep = st.toggle("Delete old lessons by themselves", value=settings.retention_days is not None)
    days = None
    if keep:
        days = int(st.number_input("after so many days", min_value=1, value=settings.retention_days or 30))
    if st.button("Save", type="primary", key="save privacy"):
        settings.aggregate_only, settings.portraits, settings.retention_days = aggregate, portraits, days
        say_later("Saved.")
        st.rerun()
    since = settings.acknowledged
    st.caption(f"Terms acknowledged on {since.astimezone():%d %B %Y}." if since else "Terms not acknowledged yet.")


@calm
def _models() -> None:
    from fewshot.models.files import list_models

    settings = Settings()
    names = list(DETECTORS)
    now = str(settings.get("detector", "auto"))
    chosen = st.selectbox("Face detector", names, index=names.index(now), format_func=DETECTORS.__getitem__)
    if chosen != now:
        settings.set("detector", chosen)
        say_later("From the next lesson on.")
        st.rerun()
    rows = [
        {
            "Model": check.model.name,
            "What it does": check.model.task,
            "Here": "yes" if check.ok else check.text,
            "What it may be used for": check.model.licence,
        }
        for check in list_models()
    ]
    st.table(rows)
    missing = [check.model.name for check in list_models() if check.path is None and not check.model.embedded]
    if missing and st.button(f"Download what is missing ({', '.join(missing)})"):
        _pull()


@calm
def _pull() -> None:
    from fewshot.models.files import pull

    with st.spinner("Downloading …"):
        paths = pull([])
    say_later(f"{len(paths)} models are here.")
    st.rerun()


@calm
def _performance() -> None:
    st.fragment(_figures, run_every=1.0)()


@calm
def _figures() -> None:
    lessons = ROOM.alive()
    if not lessons:
        st.info("Nothing runs now. Start a lesson, then look here again.", icon=":material/speed:")
    for lesson in lessons:
        view = lesson.view()
        st.subheader(view.plan.classroom or "Without a class")
        if not view.metrics:
            st.caption("A recorded lesson: there is nothing to measure.")
            continue
        _show_figures(view.metrics)


def _show_figures(metrics: dict[str, Any]) -> None:
    columns = st.columns(5)
    dropped = sum(metrics["dropped"].values())
    for column, (name, value) in zip(
        columns,
        (
            ("Frames looked at, a second", f"{metrics['processed_rate']:.1f}"),
            ("Frames from the source, a second", f"{metrics['capture_rate']:.1f}"),
            ("Frames left out", f"{dropped}"),
            ("Faces", f"{metrics['faces']}"),
            ("Memory", f"{metrics['memory_mb']:.0f} MB"),
        ),
        strict=True,
    ):
        column.metric(name, value, border=True)
    rows = [
        {
            "Stage": stage,
            "median, ms": f"{times['p50_ms']:.1f}",
            "95 % below, ms": f"{times['p95_ms']:.1f}",
            "slowest, ms": f"{times['max_ms']:.1f}",
        }
        for stage, times in metrics["stages"].items()
    ]
    st.table(rows)
    waiting = ", ".join(f"{name} {count}" for name, count in metrics["queues"].items()) or "nothing"
    where = ", ".join(f"{name} {count}" for name, count in metrics["dropped"].items() if count) or "none"
    st.caption(f"Waiting: {waiting}. Left out: {where}. Oldest reading: {metrics['age_max']:.2f} s.")


@calm
def _connection() -> None:
    settings = Settings()
    ice = dict(settings.get("ice", {}) or {})
    st.write(
        "Only for a camera on another device than this computer. On one computer none is needed, and no internet. "
        "Browsers give cameras to pages on http://localhost or over HTTPS only."
    )
    with st.form("ice", border=False):
        servers = st.text_area(
            "STUN and TURN servers, one a line", value=ice.get("servers", ""), placeholder="stun:stun.example.org:3478"
        )
        name = st.text_input("User name (TURN)", value=ice.get("username", ""))
        word = st.text_input("Password (TURN)", value=ice.get("password", ""), type="password")
        if st.form_submit_button("Save"):
            settings.set("ice", {"servers": servers, "username": name, "password": word})
            say_later("Saved. The next lesson uses it.")
            st.rerun()


@calm
def _card() -> None:
    from fewshot.models.files import resolve

    weights = resolve("expression")
    st.caption(f"Network file: {weights.name}, {weights.stat().st_size / 1e6:.1f} MB")
    card = resolve("expression").with_name("model_card.md")
    st.markdown(card.read_text(encoding="utf-8"))
