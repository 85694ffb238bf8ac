"""Settings, Audit log: who did what. Whoever manages the installation sees all lines, a teacher their own."""

from __future__ import annotations

from datetime import UTC, date, datetime

import streamlit as st

from fewshot.access.audit_page import AT_ONCE, KINDS, AuditLog, Check
from fewshot.app.shell import calm, plain
from fewshot.app.visitor import visitor
from fewshot.session.analysis.words import moment
from fewshot.translation import tr

CHECKED_AT_ONCE = 5000
"""Lines of a log that is checked whenever the page is opened, in about 0.2 s; a longer one on a click."""

_RESULT = "audit check"
"""In the session of a tab: the latest result, when it was found, and on which visit of the page."""


@calm
def show_audit() -> None:
    """Draw the check, the filters and one page of lines."""
    log = AuditLog.here(visitor())
    all_lines = log.owner.manages
    st.header(tr("Who did what") if all_lines else tr("What was done with your account"))
    st.caption(
        tr(
            "The audit log names no student and shows no reading. A random number stands for each student; it loses "
            "its meaning when the student is removed."
        )
    )
    count = log.count()
    if not count:
        st.info(tr("The log has no lines yet."), icon=":material/receipt_long:")
        if not all_lines:
            return
    if all_lines:
        _chain(log, count)
    if count:
        _lines(log)


@calm
def _chain(log: AuditLog, count: int) -> None:
    """Whether the log is as it was written, and its head to keep elsewhere."""
    with st.container(border=True):
        visit = st.session_state.get("visit")
        found = st.session_state.get(_RESULT)
        fresh = found is not None and found[2] == visit
        if st.button(tr("Check the log"), icon=":material/fact_check:") or (not fresh and count <= CHECKED_AT_ONCE):
            with st.spinner(tr("Checking …")):
                found, fresh = (log.check(), datetime.now(UTC), visit), True
            st.session_state[_RESULT] = found
        if found is not None and fresh:
            _show(found[0])
            st.caption(tr("Checked: {when}", when=moment(found[1])))
        else:
            st.caption(tr("The log was not checked on this visit. A long one takes some seconds."))
        head, number = log.head()
        if not head:
            st.caption(tr("The log has no signed line yet."))
            return
        st.caption(
            tr(
                "Somebody who holds this installation could write a new log. So keep the signed head on another "
                "computer from time to time. A later check with it also finds a log that was emptied or put back."
            )
        )
        st.download_button(
            tr("Save the head"), head, f"audit-head-{number}.txt", "text/plain", icon=":material/download:",
            on_click="ignore",
        )  # fmt: skip
        with st.form("kept head", border=False):
            kept = st.text_input(tr("An earlier head"), placeholder=tr("The line of a head that you kept"))
            if st.form_submit_button(tr("Check with this head")) and kept.strip():
                with st.spinner(tr("Checking …")):
                    _show(log.check(kept))


def _show(result: Check) -> None:
    if result.holds:
        st.success(result.text, icon=":material/verified:")
        return
    st.error(result.text, icon=":material/report:")
    for sentence in result.findings:
        st.write(f"- {plain(sentence)}")


@calm
def _lines(log: AuditLog) -> None:
    """The filters, and the lines that they let through."""
    kinds = st.multiselect(
        tr("Kinds of lines"), list(KINDS), format_func=lambda kind: tr(KINDS[kind]), placeholder=tr("All kinds")
    )
    left, right = st.columns(2)
    first: date | None = left.date_input(tr("From (UTC)"), value=None, format="YYYY-MM-DD")
    last: date | None = right.date_input(tr("To (UTC)"), value=None, format="YYYY-MM-DD")
    number = int(st.session_state.get("audit page", 1))
    page = log.page(number, frozenset(kinds), first, last)
    if page.total and number > page.pages:  # a filter was set on a later page
        number = st.session_state["audit page"] = 1
        page = log.page(number, frozenset(kinds), first, last)
    if not page.total:
        st.info(tr("No line is of these kinds and days."), icon=":material/filter_alt:")
        return
    if page.pages > 1:
        st.number_input(
            tr("Page (of {number})", number=page.pages),
            min_value=1,
            max_value=page.pages,
            key="audit page",
        )
    begin = (number - 1) * AT_ONCE
    st.caption(
        tr(
            "Lines {first} to {last} of {total}, newest first.",
            first=begin + 1,
            last=begin + len(page.rows),
            total=page.total,
        )
    )
    st.dataframe(page.rows, hide_index=True, width="stretch")
