"""Settings, Accounts: who may log in. Only an administrator and the local teacher see it."""

from __future__ import annotations

import streamlit as st

from fewshot.accounts.accounts import Account, Accounts
from fewshot.accounts.passwords import one_time_password
from fewshot.app.shell import calm, plain, say_later
from fewshot.app.visitor import visitor
from fewshot.classroom.owners import Role
from fewshot.session.analysis.words import moment
from fewshot.translation import later, tr

_ONCE = "one-time password"
"""In the session of a tab: name and password, until the page is drawn once."""
_ROLES: dict[Role, str] = {
    "teacher": later("Teacher: has classes and lessons"),
    "administrator": later("Administrator: manages accounts and settings, and sees no reading"),
}
_ROLE_WORDS: dict[Role, str] = {"teacher": later("teacher"), "administrator": later("administrator")}
_DELETE = later("Delete them, with all students and readings")


@calm
def show_accounts() -> None:
    """Draw the list of accounts, and what can be done with them."""
    if not visitor().manages:
        return
    accounts = Accounts(by=visitor())
    st.write(
        tr(
            "Everybody who logs in has an account. A teacher sees only their own classes. Where the app is for one "
            "computer only, nobody has to log in, unless it was started so."
        )
    )
    _show_once()
    found = accounts.all()
    if found:
        st.table([_row(account) for account in found])
    else:
        st.caption(tr("There is no account yet."))
    _add(accounts)
    if found:
        _change(accounts, found)


def _row(account: Account) -> dict[str, str]:
    ways = ([tr("one-time password") if account.must_change else tr("password")] if account.password else []) + (
        [account.email] if account.email else []
    )
    return {
        tr("Name"): plain(account.owner.name),
        tr("Role"): tr(_ROLE_WORDS[account.owner.role]),
        tr("Logs in with"): plain(", ".join(ways) or tr("nothing")),
        tr("Classes"): str(len(account.classes)),
        tr("Lessons"): str(account.lessons),
        tr("Logged in now"): str(account.running),
        tr("Last login"): tr("never") if account.last is None else moment(account.last),
    }


def _show_once() -> None:
    once = st.session_state.pop(_ONCE, None)
    if once is not None:
        name, password = once
        st.success(
            tr(
                "The one-time password of {name} is below. It is shown only now. Hand it over in person. At the first "
                "login another one must be chosen.",
                name=plain(name),
            )
        )
        st.code(password, language=None)


def _add(accounts: Accounts) -> None:
    with st.form("add account", border=True, clear_on_submit=True):
        st.subheader(tr("Add an account"))
        name = st.text_input(tr("Name to log in with"))
        role = st.radio(tr("Role"), list(_ROLES), format_func=lambda one: tr(_ROLES[one]))
        email = st.text_input(
            tr("Address at your school's identity provider (optional)"),
            help=tr("If it is filled in, this person logs in with the provider, and gets no password here."),
        )
        if st.form_submit_button(tr("Add the account")):
            password = None if email.strip() else one_time_password()
            owner = accounts.add(name, role, password, email.strip(), one_time=True)
            if password is not None:
                st.session_state[_ONCE] = (owner.name, password)
            say_later(tr("{name} was added.", name=owner.name))
            st.rerun()


def _change(accounts: Accounts, found: list[Account]) -> None:
    st.subheader(tr("Change an account"))
    names = [account.owner.name for account in found]
    name = st.selectbox(tr("Account"), names)
    account = found[names.index(name)]
    if account.owner.id == visitor().id:
        # A one-time password would end this login before it was shown.
        st.caption(
            tr(
                "This is your own account. For another password, click Log out above, then Change the password. "
                "Another administrator must remove the account."
            )
        )
        return
    if st.button(tr("Give a new one-time password"), help=tr("All logins of this account end at once.")):
        password = one_time_password()
        accounts.reset(name, password, one_time=True)
        st.session_state[_ONCE] = (name, password)
        st.rerun()
    give_to, delete_all = None, False
    if account.classes or account.lessons:
        receivers = [other.owner.name for other in found if other.owner.teaches and other.owner.id != account.owner.id]
        choices = [*receivers, _DELETE]
        chosen = st.radio(
            tr(
                "What happens to the classes ({classes}) and lessons ({lessons}) of this account?",
                classes=len(account.classes),
                lessons=account.lessons,
            ),
            choices,
            index=None,
            format_func=lambda choice: (
                tr(choice) if choice == _DELETE else tr("Give them to {name}", name=plain(choice))
            ),
        )
        give_to, delete_all = (None if chosen in (None, _DELETE) else chosen), chosen == _DELETE
        st.caption(tr("Choose first. Then this account can be removed.") if chosen is None else "")
        if chosen is None:
            return
    sure = st.checkbox(tr("Yes, remove the account {name}", name=plain(name)), key=f"sure {account.owner.id}")
    if st.button(tr("Remove the account"), disabled=not sure):
        accounts.remove(name, give_to=give_to, delete_all=delete_all)
        say_later(tr("{name} was removed.", name=name))
        st.rerun()
