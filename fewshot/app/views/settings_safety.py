"""Settings, Safety: encryption, recovery file and backup, for whoever manages the installation."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fewshot.access.safety import Safety
from fewshot.app.shell import calm, plain, say_later
from fewshot.app.views.settings_managed import show_managed
from fewshot.app.visitor import visitor
from fewshot.errors import UsageError
from fewshot.translation import tr


def show_safety() -> None:
    """Draw what protects the data, and what is missing."""
    if not visitor().manages:
        return
    safety = Safety.here(visitor())
    _encryption(safety)
    _recovery(safety)
    _backup(safety)
    show_managed(safety)


@calm
def _encryption(safety: Safety) -> None:
    st.subheader(tr("Encryption"))
    left = safety.not_encrypted()
    elsewhere = safety.readable_elsewhere()
    for sentence in elsewhere:
        st.warning(plain(sentence), icon=":material/history:")
    if elsewhere and st.button(tr("Archives and copies from before are deleted")):
        safety.archives_deleted()
        st.rerun()
    if not left:
        st.write(
            tr(
                "Names, face vectors, readings, labels and all texts are encrypted, each student's with a key of their "
                "own."
            )
        )
        return
    st.warning(f"{left} {tr('An earlier version cannot read them afterwards.')}", icon=":material/lock_open:")
    if safety.on_server:
        st.caption(
            tr(
                "An encrypted copy is written as a new database on the server and takes the place of this one, which "
                "is then dropped. Meanwhile nobody can use it, and no other program may be connected."
            )
        )
    if st.button(tr("Encrypt everything now"), type="primary"):
        with st.spinner(tr("Encrypting …")):
            safety.seal()
        say_later(tr("Everything is encrypted now. Delete older backups and copies yourself."))
        st.rerun()


@calm
def _recovery(safety: Safety) -> None:
    st.subheader(tr("Recovery file"))
    places = safety.recovery_places()
    if places:
        st.write(tr("If this disk is lost, a backup and this file open everything, with its passphrase:"))
        for place in places:
            st.code(str(place), language=None)
            if not place.exists():
                st.caption(tr("It is not there now. Connect its disk: the next start of the app brings it up to date."))
    else:
        st.info(
            tr(
                "There is no recovery file. If this disk or its key is lost, no backup can be opened, and everything "
                "in the classes is lost. Put the file on another disk, such as a USB stick."
            ),
            icon=":material/key:",
        )
    with st.form("recovery", border=False, clear_on_submit=True):
        file = st.text_input(tr("File on another disk"), placeholder="/media/usb/fewshot-recovery.json")
        word = st.text_input(tr("Passphrase (at least 12 characters)"), type="password", key="recovery word")
        again = "" if places else st.text_input(tr("The same passphrase again"), type="password", key="recovery again")
        if st.form_submit_button(tr("Write another recovery file") if places else tr("Write the recovery file")):
            if not file.strip():
                raise UsageError(tr("Where should the file go? Fill in the field “File on another disk”."))
            if not places and word != again:
                raise UsageError(tr("The two passphrases differ. Nothing was written. Type them again."))
            for said in safety.export(Path(file.strip()).expanduser(), word):
                st.warning(plain(tr(said)), icon=":material/usb:")
            say_later(tr("The recovery file was written. It is kept up to date from now on."))
            st.rerun()


@calm
def _backup(safety: Safety) -> None:
    st.subheader(tr("Backup"))
    why = safety.no_backup()
    if why:
        st.caption(plain(why))
        return
    made = safety.backups()
    st.caption(
        tr("The latest backup is {file}.", file=made[0])
        if made
        else tr("There is no backup yet. It is one file, encrypted, and may be made while a lesson runs.")
    )
    with st.form("backup", border=False, clear_on_submit=True):
        file = st.text_input(
            tr("File to write"), value=str(made[0]) if made else "", placeholder="/media/usb/school.backup"
        )
        word = st.text_input(tr("Passphrase (at least 12 characters)"), type="password", key="backup word")
        again = st.text_input(tr("The same passphrase again"), type="password", key="backup again")
        if st.form_submit_button(tr("Make a backup")):
            if word != again:
                raise UsageError(tr("The two passphrases differ. Nothing was written. Type them again."))
            with st.spinner(tr("Writing and checking …")):
                said = safety.backup(Path(file.strip()).expanduser(), word)
            say_later(said)
            st.rerun()
