"""On top of the live page: is the lesson too fast or too slow, and whom to ask, in a sentence and three names."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.lesson import RunningLesson
from fewshot.app.shell import calm, isolated, plain
from fewshot.session.analysis.glance import Glance
from fewshot.translation import later, tr

BY_NAME, BY_ATTENTION = later("by name"), later("by attention")
SORTED = "tiles by attention"
"""Whether this tab shows the tiles of students who may need attention first."""


def glance(lesson: RunningLesson, every: float, whole: bool = False) -> None:
    """The sentence, the names, and "Why?"; drawn again every ``every`` seconds.

    Args:
        whole: the page shows the whole class only, without names.
    """
    with st.container(key="glance"):
        st.fragment(_glance, run_every=every)(lesson, whole)


def credit(lesson: RunningLesson) -> None:
    """In place of the sentence, for real photographs: whose they are. Nothing is concluded about these people."""
    with st.container(key="glance"):
        st.html(f'<p class="fs-muted" role="note">{escape(tr(lesson.plan.credit))}</p>')


@calm
def _glance(lesson: RunningLesson, whole: bool) -> None:
    if lesson.view().state == "preparing":
        return
    seen = lesson.glance(whole, isolated)
    left, right = st.columns([6, 1], vertical_alignment="center")
    left.html(glance_html(seen))
    with right, st.popover(tr("Why?"), width="stretch"):
        lines = seen.why or (tr("Nothing was compared yet."),)
        st.markdown("\n\n".join(plain(line) for line in lines))
        st.caption(tr("A face is not a feeling. These sentences are a reason to look or to ask, never a finding."))


def glance_html(seen: Glance) -> str:
    """The sentence about the pace, and below it the names."""
    kind = "fs-hint more" if seen.event is not None else "fs-hint"
    asks = f"<br>{escape(tr('{sentence}.', sentence=seen.asks))}" if seen.asks else ""
    sentence = f"<b>{escape(seen.sentence)}</b>" if seen.event is not None else escape(seen.sentence)
    return f'<div class="{kind}" role="status">{sentence}{asks}</div>'


def choose_order() -> None:
    """The choice of the order of the tiles, for the menu View."""
    st.radio(tr("Sort the tiles"), [BY_NAME, BY_ATTENTION], key=SORTED, horizontal=True, format_func=tr)
    st.caption(tr("By attention: students who look unlike their own usual come first. This is no ranking."))


def attention_first(lesson: RunningLesson) -> tuple[str, ...]:
    """Students whose tiles come first; () if the tiles are sorted by name."""
    return lesson.glance().attention if st.session_state.get(SORTED) == BY_ATTENTION else ()
