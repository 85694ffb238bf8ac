"""Settings, Accounts: who may log in. Only an administrator and the local teacher see it."""

from __future__ import annotations

import streamlit as st

from fewshot.accounts.accounts import Account, Accounts
from fewshot.accounts.passwords import one_time_password
from fewshot.app.shell import calm, plain, say_later
from fewshot.app.visitor import visitor
from fewshot.classroom.owners import Role
from fewshot.session.analysis.words import moment

_ONCE = "one-time password"
"""In the session of a tab: name and password, until the page is drawn once."""
_ROLES: dict[Role, str] = {
    "teacher": "Teacher: has classes and lessons",
    "administrator": "Administrator: manages accounts and settings, and sees no reading",
}
_DELETE = "Delete them, with all students and readings"


@calm
def show_accounts() -> None:
    """Draw the list of accounts, and what can be done with them."""
    if not visitor().manages:
        return
    accounts = Accounts()
    st.write(
        "Everybody who logs in has an account. A teacher sees only their own classes. Where the "
        "app is for one computer only, nobody has to log in, unless it was started so."
    )
    _show_once()
    found = accounts.all()
    if found:
        st.table([_row(account) for account in found])
    else:
        st.caption("There is no account yet.")
    _add(accounts)
    if found:
        _change(accounts, found)


def _row(account: Account) -> dict[str, str]:
    ways = (["one-time password" if account.must_change else "password"] if account.password else []) + (
        [account.email] if account.email else []
    )
    return {
        "Name": plain(account.owner.name),
        "Role": account.owner.role,
        "Logs in with": plain(", ".join(ways) or "nothing"),
        "Classes": str(len(account.classes)),
        "Lessons": str(account.lessons),
        "Logged in now": str(account.running),
        "Last login": "never" if account.last is None else moment(account.last),
    }


def _show_once() -> None:
    once = st.session_state.pop(_ONCE, None)
    if once is not None:
        name, password = once
        st.success(
            f"The one-time password of {plain(name)} is below. It is shown only now. Hand it over in person. At the "
            "first login another one must be chosen."
        )
        st.code(password, language=None)


def _add(accounts: Accounts) -> None:
    with st.form("add account", border=True, clear_on_submit=True):
        st.subheader("Add an account")
        name = st.text_input("Name to log in with")
        role = st.radio("Role", list(_ROLES), format_func=_ROLES.__getitem__)
        email = st.text_input(
            "Address at your school's identity provider (optional)",
            help="If it is filled in, this person logs in with the provider, and gets no password here.",
        )
        if st.form_submit_button("Add the account"):
            password = None if email.strip() else one_time_password()
            owner = accounts.add(name, role, password, email.strip(), one_time=True)
            if password is not None:
                st.session_state[_ONCE] = (owner.name, password)
            say_later(f"{owner.name} was added.")
            st.rerun()


def _change(accounts: Accounts, found: list[Account]) -> None:
    st.subheader("Change an account")
    names = [account.owner.name for account in found]
    name = st.selectbox("Account", names)
    account = found[names.index(name)]
    if account.owner.id == visitor().id:
        # A one-time password would end this login before it was shown.
        st.caption(
            "This is your own account. For another password, click Log out above, then Change the password. Another "
            "administrator must remove the account."
        )
        return
    if st.button("Give a new one-time password", help="All logins of this account end at once."):
        password = one_time_password()
        accounts.reset(name, password, one_time=True)
        st.session_state[_ONCE] = (name, password)
        st.rerun()
    give_to, delete_all = None, False
    if account.classes or account.lessons:
        receivers = [other.owner.name for other in found if other.owner.teaches and other.owner.id != account.owner.id]
        choices = [*receivers, _DELETE]
        chosen = st.radio(
            f"What happens to the {len(account.classes)} classes and {account.lessons} lessons of this account?",
            choices,
            index=None,
            format_func=lambda choice: choice if choice == _DELETE else f"Give them to {plain(choice)}",
        )
        give_to, delete_all = (None if chosen in (None, _DELETE) else chosen), chosen == _DELETE
        st.caption("Choose first. Then this account can be removed." if chosen is None else "")
        if chosen is None:
            return
    sure = st.checkbox(f"Yes, remove the account {plain(name)}", key=f"sure {account.owner.id}")
    if st.button("Remove the account", disabled=not sure):
        accounts.remove(name, give_to=give_to, delete_all=delete_all)
        say_later(f"{name} was removed.")
        st.rerun()
