"""What all pages share: errors as sentences, the style, the browser tab, and the way to other pages."""

from __future__ import annotations

import functools
import logging
import re
import sys
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from fewshot.app.language import speak
from fewshot.app.next_click import in_the_app
from fewshot.app.upload_files import problem
from fewshot.app.visitor import visitor
from fewshot.errors import FewshotError
from fewshot.session.analysis.words import TIME_ZONE
from fewshot.session.settings import Settings
from fewshot.translation import later, tr

if TYPE_CHECKING:
    from fewshot.session.charts.theme import Theme

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

SEEN = "photos seen"
"""In the session of a tab: photo (SHA-256) -> small JPEG of what was enrolled here. It is never stored."""

PHOTO_TABLES = "photo tables"
"""In the session of a tab: photos that were chosen and are not enrolled yet. They are forgotten with the page."""
PHOTOS_LOST = "photos lost"
"""In the session of a tab: the page was loaded again while photos were chosen."""

SORRY = later(
    "This page could not be shown, because of a fault in fewshot. A running lesson continues. Load the page again. The "
    "details are in fewshot's log."
)


_MARKS = re.compile(r"[\\`*\[\]<~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|^(?:[#>+=-]|\d+(?=[.)]))")
"""What Markdown would take for a mark rather than for a letter."""
_LATE = re.compile(r":(?=[^\W\d_]|[+/-])|(?<!\d):(?=\d+:)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""Where icons (":smile:"), colours and links begin. They are found after Markdown: a backslash does not help."""
_JOINER = "\N{WORD JOINER}"


def plain(text: str) -> str:
    """The text so that Streamlit shows it letter by letter: no Markdown, picture, link, formula or icon in it.

    For every label, message and table cell that contains a word of a user: a title such as ``![](http://...)`` must
    not make the browser fetch anything.

    >>> plain("![x](http://y)"), plain("Asha P."), plain("anna_1.jpg")[:6]
    ('!\\\\[x\\\\](http:\\u2060//y)', 'Asha P.', 'anna_1')
    """
    flat = " ".join(str(text).split())
    marked = _MARKS.sub(lambda found: found[0] + _JOINER if found[0].isdigit() else f"\\{found[0]}", flat)
    return _LATE.sub(lambda found: found[0] + _JOINER, marked)


def isolated(name: str) -> str:
    """A name that is written from right to left, in marks that keep it from changing the order of the words around it.

    >>> isolated("Asha") == "Asha", len(isolated("\u05d0"))
    (True, 3)
    """
    if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in name):
        return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"
    return name


@functools.cache
def asset(name: str) -> str:
    """A text file of the app."""
    return (files("fewshot.app") / "assets" / name).read_text(encoding="utf-8")


def calm(page: Callable[P, T]) -> Callable[P, T | None]:
    """Wrap a page, or a part of one, so that its errors become sentences. Users never see a traceback."""

    @functools.wraps(page)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | None:
        TIME_ZONE.set(_time_zone(st.context.timezone))
        speak()
        try:
            return page(*args, **kwargs)
        except FewshotError as error:
            st.error(plain(in_the_app(error)), icon=":material/info:")
        except Exception:
            logger.exception("a page failed")
            st.error(tr(SORRY), icon=":material/sentiment_dissatisfied:")
        return None

    return guarded


@functools.lru_cache(maxsize=64)  # the name comes from the browser
def _time_zone(name: str | None) -> ZoneInfo | None:
    """The time zone of a browser; None if it says none, or one that is not known here."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def style() -> None:
    """The app's own style sheet."""
    st.html(f"<style>{asset('app.css')}</style>")


def session() -> str:
    """A name for this browser tab; a reload is a new one."""
    return str(st.session_state.setdefault("tab", uuid.uuid4().hex))


def count_visit(page: str) -> None:
    """Note that a page is shown; a return to it is another visit. Photos that were chosen on another one are gone."""
    if st.session_state.get("shown") != page:
        st.session_state.pop(PHOTO_TABLES, None)
        st.session_state.pop(PHOTOS_LOST, None)
        st.session_state["shown"] = page
        st.session_state["visit"] = st.session_state.get("visit", 0) + 1


def say_later(text: str) -> None:
    """Keep a message until the page is drawn again."""
    st.session_state["said"] = text


def say_now() -> None:
    """Show the message that was kept."""
    text = st.session_state.pop("said", None)
    if text:
        st.toast(plain(text), icon=":material/check_circle:")


def say_refused_upload() -> None:
    """Say why a file was not uploaded; beside the file itself stands only that it was not."""
    if why := problem():
        st.toast(plain(tr(why)), icon=":material/error:", duration="infinite")


def say_advice(sentences: Sequence[str]) -> None:
    """Show what a teacher should know about this computer, for example that a weaker detector is used."""
    for text in sentences:
        st.caption(f":material/info: {plain(text)}")


def remind_of_camera() -> None:
    """On any page but Live: say that a lesson waits for this tab's camera, which only the page Live sends."""
    # While it is not loaded, or another thread is still loading it, no lesson can run.
    room = getattr(sys.modules.get("fewshot.app.lesson_room"), "ROOM", None)
    for lesson in room.alive(visitor()) if room is not None else ():
        # A shared window is sent from every page of the app.
        if getattr(lesson.plan.sent, "owner", None) == session():
            name = lesson.plan.classroom or tr("without a class")
            with st.container(border=True, key="waiting"), st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    tr(
                        "**The lesson ({name}) waits for its camera.** This tab sends the camera's picture only while "
                        "the page Live is open.",
                        name=plain(isolated(name)),
                    )
                )
                if st.button(tr("Back to the lesson"), icon=":material/sensors:"):
                    go("live", **{"class": lesson.plan.classroom})


def go(page: str, **parameters: Any) -> None:
    """Go to another page by its name ("live"); it finds the parameters in the session."""
    for name, value in parameters.items():
        st.session_state[name] = value
    st.switch_page(st.session_state["pages"][page])


def ask_to_acknowledge(words: str) -> None:
    """Say that the terms must be accepted first, with a button to the page where they are; nothing once they are.

    Args:
        words: what it is needed for, and what to do on the page Start.
    """
    if Settings(owner=visitor()).acknowledged is None:
        st.warning(words, icon=":material/gavel:")
        if st.button(tr("Open the page Start")):
            go("start")


def say_no_classes() -> bool:
    """Tell an administrator that this page is for teachers. Returns whether it did, so that nothing else is shown."""
    who = visitor()
    if who.teaches:
        return False
    st.info(
        tr(
            "{name} is an administrator. An administrator has no classes and sees no readings. To teach, log in with "
            "the account of a teacher.",
            name=plain(isolated(who.name)),
        ),
        icon=":material/shield_person:",
    )
    if st.button(tr("Open the page Settings"), icon=":material/settings:"):
        go("settings")
    return True


def chart_theme() -> Theme:
    """Light or dark, like the page in the browser."""
    from fewshot.session.charts.theme import DARK, LIGHT

    return DARK if st.context.theme.type == "dark" else LIGHT
