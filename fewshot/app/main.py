"""The app's pages. Streamlit runs this file again for every click; each page imports what it needs."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from importlib import import_module
from pathlib import Path

import streamlit as st

from fewshot.app.foot import foot
from fewshot.app.language import name_fields, read_choice, speak
from fewshot.app.server import is_guarded
from fewshot.app.shell import calm, count_visit, remind_of_camera, say_now, say_refused_upload, style
from fewshot.app.visitor import LoggedOut, enter, forget_other_visitor
from fewshot.app.warm import warm_up
from fewshot.translation import later, tr

PAGES = (
    ("start", later("Start"), ":material/home:"),
    ("classes", later("Class"), ":material/groups:"),
    ("enroll", later("Enrollment"), ":material/photo_camera:"),
    ("live", later("Live"), ":material/sensors:"),
    ("report", later("Report"), ":material/monitoring:"),
    ("settings", later("Settings"), ":material/settings:"),
    ("help", later("Help"), ":material/help:"),
)

ICON = Path(__file__).with_name("assets") / "icon.svg"


def _page(name: str) -> Callable[[], None]:
    @calm
    def page() -> None:
        import_module(f"fewshot.app.views.{name}").page()

    page.__name__ = name
    return page


def main() -> None:
    """The pages and their menu; Streamlit runs it anew at every click."""
    st.set_page_config(page_title="fewshot", page_icon=str(ICON), layout="wide", initial_sidebar_state="collapsed")
    style()
    speak()
    if not is_guarded():
        st.error(
            tr("This page was started without its guard, so it shows nothing. Start it with the command of fewshot.")
        )
        st.stop()
    try:
        who = enter()
    except LoggedOut as ended:
        st.error(tr(ended.text))
        st.stop()
    calm(forget_other_visitor)()
    read_choice()
    name_fields()
    pages = {
        name: st.Page(_page(name), title=tr(title), icon=icon, url_path=name, default=name == "start")
        for name, title, icon in PAGES
    }
    st.session_state["pages"] = pages
    chosen = st.navigation(list(pages.values()), position="top")
    st.set_page_config(page_title=f"{chosen.title} · fewshot")  # what a tab and a bookmark are called
    if who:
        # A link: the page behind it asks, so that no other site can log anybody out.
        st.html(f'<p class="fs-muted fs-who">{escape(who)} · <a href="/logout">{escape(tr("Log out"))}</a></p>')
    count_visit(chosen.url_path)
    say_now()
    say_refused_upload()
    if chosen.url_path != "live":
        calm(remind_of_camera)()
    chosen.run()
    foot()
    warm_up()


if __name__ == "__main__":  # this is how Streamlit runs it
    main()
