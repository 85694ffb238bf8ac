"""Settings, Safety: the managed backups, when each was written, and what failed."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import streamlit as st

from fewshot.access.safety import Safety
from fewshot.app.shell import calm, plain, say_later
from fewshot.errors import UsageError
from fewshot.safe_text import printable
from fewshot.session.analysis.words import moment
from fewshot.translation import tr


@calm
def show_managed(safety: Safety) -> None:
    """Draw the list, and the field for a new place; nothing for a database in memory."""
    if safety.no_backup():
        return
    st.subheader(tr("Managed backups"))
    st.caption(
        tr(
            "A managed backup is written again at once when a student, a class or a lesson is erased, and once a day. "
            "Nobody types a passphrase for it: it opens with the recovery file and its passphrase. Keep the two apart."
        )
    )
    for number, shown in enumerate(safety.managed()):
        with st.container(border=True):
            st.code(printable(str(shown.place.file)), language=None)
            st.caption(plain(_when(shown.place.written)))
            if shown.place.why:
                st.warning(plain(printable(shown.place.reason())), icon=":material/usb:")
            if not shown.current:
                st.warning(
                    tr("It was made before the latest erasure, or before the recovery file changed."),
                    icon=":material/history:",
                )
            left, right = st.columns(2)
            if left.button(tr("Write it now"), key=f"write managed {number}", width="stretch"):
                _write(safety, shown.place.file)
            if right.button(tr("Stop managing it"), key=f"leave managed {number}", width="stretch"):
                safety.unmanage(shown.place.file)
                say_later(tr("The backup is not kept up to date any more. Its file stays: delete it yourself."))
                st.rerun()
    if not safety.recovery_places():
        st.info(tr("Write a recovery file first. Without one nobody could open a managed backup."))
        return
    with st.form("managed", border=False, clear_on_submit=True):
        place = st.text_input(tr("Folder or file on another disk"), placeholder="/media/usb")
        if st.form_submit_button(tr("Keep a backup there")):
            if not place.strip():
                raise UsageError(tr("Where should the backup go? Fill in the field “Folder or file on another disk”."))
            _write(safety, Path(place.strip()).expanduser())


def _write(safety: Safety, place: Path) -> None:
    with st.spinner(tr("Writing and checking …")):
        found = safety.manage(place)
    file = printable(str(found.file))
    say_later(tr("{file} was written and checked. It is kept up to date from now on.", file=file))
    st.rerun()


def _when(written: str) -> str:
    with suppress(ValueError):
        return tr("Last written and checked: {when}.", when=moment(datetime.fromisoformat(written)))
    return tr("It was not written yet.")
