"""The demo's pages. Streamlit runs this file again for every click; each page imports what it needs."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from importlib import import_module

import streamlit as st

from fewshot.app.foot import foot
from fewshot.app.hosted.limits import begin
from fewshot.app.hosted.visitors import KEY, VISITORS, DemoRefusal, key_of_tab
from fewshot.app.language import name_fields, speak
from fewshot.app.main import ICON
from fewshot.app.shell import calm, count_visit, plain, say_now, style
from fewshot.database.owner import DEMO, is_demo
from fewshot.translation import later, tr

PAGES = (
    ("start", later("Start"), ":material/home:"),
    ("live", later("Live"), ":material/sensors:"),
    ("photos", later("Your photos"), ":material/photo_camera:"),
    ("report", later("Report"), ":material/monitoring:"),
)
BANNER = later(
    "This is a public demo with sample classes. What you do here is in memory, only you see it, and it is deleted when "
    "you leave."
)


def _page(name: str) -> Callable[[], None]:
    @calm
    def page() -> None:
        import_module(f"fewshot.app.hosted.{name}").page()

    page.__name__ = name
    return page


def main() -> None:
    """The pages and their menu; Streamlit runs it anew at every click."""
    st.set_page_config(page_title="fewshot", page_icon=str(ICON), layout="wide", initial_sidebar_state="collapsed")
    style()
    speak()
    name_fields()
    if not is_demo():
        st.error(tr("These are the pages of the demo. Start it with {variable}=1.", variable=DEMO))
        st.stop()
    begin()
    try:
        VISITORS.click(key_of_tab())
    except DemoRefusal as over:
        for name in set(st.session_state) - {KEY}:
            del st.session_state[name]
        st.info(plain(over.text), icon=":material/timer_off:")
        st.stop()
    pages = {
        name: st.Page(_page(name), title=tr(title), icon=icon, url_path=name, default=name == "start")
        for name, title, icon in PAGES
    }
    st.session_state["pages"] = pages
    chosen = st.navigation(list(pages.values()), position="top")
    st.set_page_config(page_title=f"{chosen.title} · fewshot (demo)")
    count_visit(chosen.url_path)
    say_now()
    st.html(f'<p class="fs-muted" role="note">{escape(tr(BANNER))}</p>')
    chosen.run()
    foot()


if __name__ == "__main__":  # this is how Streamlit runs it
    main()
