"""Accounts: owners who can log in, with a password or with an identity provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select

from fewshot.accounts.logins import Logins, refuse_changed
from fewshot.accounts.passwords import check_password, hash_of, is_right
from fewshot.accounts.tries import Tries
from fewshot.audit.chain import Details
from fewshot.audit.log import append
from fewshot.classroom.class_rows import classes_of
from fewshot.classroom.erased import note_class_erased
from fewshot.classroom.export_intents import Intent, finish, intend
from fewshot.classroom.exports import share_folders
from fewshot.classroom.names import check_name, folded, quoted
from fewshot.classroom.owners import Owners, taken_by
from fewshot.classroom.traces import forget_last_run
from fewshot.database import Database, ErasurePending, open_database
from fewshot.database.account_tables import InvitedRow, PasswordRow
from fewshot.database.columns import now
from fewshot.database.key_erasure import give_rows
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import LOCAL, LOCAL_TEACHER, Owner, Role
from fewshot.database.tables import ClassRow, OwnerRow, OwnerSettingRow, SettingRow
from fewshot.errors import UsageError
from fewshot.translation import later, later_n

_NOT_GIVEN = ("acknowledged",)
"""Settings that are a person's own word."""
_USED = "accounts_used"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as a list shows it.

    Attributes:
        owner: whose it is.
        password: whether it has a password.
        must_change: whether the password is good for one login only.
        email: the address at the identity provider; "" if it does not use one.
        classes: names of its classes, in order.
        lessons: how many lessons it has.
        running: how many logins hold now.
        last: the last login, as far as it is kept.
    """

    owner: Owner
    password: bool
    must_change: bool
    email: str
    classes: tuple[str, ...]
    lessons: int
    running: int
    last: datetime | None


class Accounts:
    """The accounts in a database.

    Args:
        database: None uses the default database.
        by: who changes accounts, for the audit log.
    """

    def __init__(self, database: Database | None = None, by: Owner = LOCAL_TEACHER) -> None:
        self.by = by
        self.database = database or open_database()
        self.owners, self.logins = Owners(self.database), Logins(self.database)

    def any(self) -> bool:
        """Whether somebody could log in."""
        with self.database.read() as session:
            return any(session.scalar(select(row.owner_id).limit(1)) is not None for row in (PasswordRow, InvitedRow))

    def were_used(self) -> bool:
        """Whether there ever was an account, even if all were removed."""
        with self.database.read() as session:
            return session.get(SettingRow, _USED) is not None

    def all(self) -> list[Account]:
        """All accounts by name; the local teacher is none."""
        running, last = self.logins.running(), self.logins.last()
        owners = [owner for owner in self.owners.all() if owner.id != LOCAL]
        with self.database.read() as session:
            passwords = {row.owner_id: row for row in session.scalars(select(PasswordRow))}
            emails = {row.owner_id: row.email for row in session.scalars(select(InvitedRow))}
            classes = [(row.owner_id, row.name) for row in session.scalars(select(ClassRow))]
            classes.sort(key=lambda found: folded(found[1]))
            counted = session.execute(select(LessonRow.owner_id, func.count()).group_by(LessonRow.owner_id)).all()
            lessons = {row[0]: row[1] for row in counted}
            return [
                Account(
                    owner,
                    owner.id in passwords,
                    owner.id in passwords and passwords[owner.id].must_change,
                    emails.get(owner.id, ""),
                    tuple(name for of, name in classes if of == owner.id),
                    lessons.get(owner.id, 0),
                    running.get(owner.id, 0),
                    last.get(owner.id),
                )
                for owner in owners
            ]

    def get(self, name: str) -> Account:
        """The account with this name.

        Raises:
            UsageError: there is none; the local teacher has none.
        """
        found = next((account for account in self.all() if folded(account.owner.name) == folded(name)), None)
        if found is None:
            names = ", ".join(account.owner.name for account in self.all()) or "none"
            raise UsageError(
                later("There is no account {name!r}. Existing accounts: {names}.", name=name, names=names),
                hint="To see them, type: fewshot accounts list",
            )
        return found

    def add(
        self, name: str, role: Role = "teacher", password: str | None = None, email: str = "", one_time: bool = False
    ) -> Owner:
        """Add an account that logs in with a password, with an identity provider, or with both.

        Args:
            name: of the account.
            role: see ``Owner``.
            password: None for none.
            email: the address that the identity provider must have verified; "" for none.
            one_time: the password is good only for choosing another one.

        Raises:
            UsageError: the name or the address is taken or cannot be used, the password is easy to guess, or there is
                neither a password nor an address.
        """
        if password is None and not email:
            raise UsageError(later("An account needs a password, or an address at your identity provider."))
        address = self.check_new(name, email)
        hashed = None if password is None else hash_of(check_password(password, name))
        owner = self.owners.add(name, role)
        with self.database.write() as session:
            if hashed is not None:
                session.add(PasswordRow(owner_id=owner.id, hash=hashed, must_change=one_time))
            if address:
                session.add(InvitedRow(owner_id=owner.id, email=address))
            session.merge(SettingRow(key=_USED, value=True))
            append(session, self.by.id, "account added", details={"account": owner.id, "what": role})
        return owner

    def check_new(self, name: str, email: str = "") -> str:
        """Check that a name and an address are free. Returns the address in the form that is stored.

        Raises:
            UsageError: the name or the address is taken or cannot be used.
        """
        plain = check_name(name, "teacher")
        address = _address(email) if email else ""
        with self.database.read() as session:
            taken = taken_by(session, plain)
            if taken is not None:
                raise UsageError(
                    later("There is an account {name!r} already. Choose another name.", name=taken),
                    hint=f"For a new password, type: fewshot accounts reset {quoted(taken)}",
                )
            if address and session.scalar(select(InvitedRow.owner_id).where(InvitedRow.email == address)) is not None:
                raise UsageError(
                    later(
                        "There is an account with the address {address} already. Choose another address.",
                        address=address,
                    )
                )
        return address

    def reset(self, name: str, password: str, one_time: bool = False) -> Owner:
        """Give an account another password, lift a lock-out, and end all its logins.

        Raises:
            UsageError: there is no such account, or the password is easy to guess.
        """
        owner = self.get(name).owner
        self.change(owner, password, one_time, by=self.by)
        Tries(self.database).forget(owner.name)
        return owner

    def change(
        self,
        owner: Owner,
        password: str,
        one_time: bool = False,
        changed: datetime | None = None,
        by: Owner | None = None,
    ) -> None:
        """Give an owner another password, and end all logins.

        Args:
            owner: whose password it is.
            password: the new one.
            one_time: see ``add``.
            changed: ``Logins.changed_at`` before the old password was compared; None if it was not.
            by: who changes it, for the audit log; None: the owner.

        Raises:
            UsageError: the password is easy to guess, or the account was removed or changed in the meantime.
        """
        hashed = hash_of(check_password(password, owner.name))
        with self.database.write() as session:
            refuse_changed(session, owner, changed)
            session.merge(PasswordRow(owner_id=owner.id, hash=hashed, changed=now(), must_change=one_time))
            append(session, (by or owner).id, "password changed", details={"account": owner.id})
            if by is not None and by.id != owner.id:
                # Whoever resets a teacher's password could log in as that teacher, who must see it.
                append(session, owner.id, "password reset")
        self.logins.end_all(owner)

    def verify(self, name: str, password: str) -> Owner | None:
        """Whose name and password these are; None if they belong to nobody. Both answers take the same time."""
        with self.database.read() as session:
            wanted = select(PasswordRow).join(OwnerRow, OwnerRow.id == PasswordRow.owner_id)
            row = session.scalar(wanted.where(OwnerRow.folded == folded(name)))
            found = None if row is None else (row.owner_id, row.hash)
        right = is_right(None if found is None else found[1], password)
        return self.owners.get(found[0]) if right and found is not None else None

    def note_refused(self, name: str, why: str) -> None:
        """Write a refused login into the audit log, with the account that it was meant for, if there is one.

        Args:
            name: what was typed. It is not kept, because people type their password there.
            why: fixed words.
        """
        with self.database.write() as session:
            owner = session.scalar(select(OwnerRow.id).where(OwnerRow.folded == folded(name))) if name else None
            append(session, owner or "", "login refused", details={"why": why})

    def known(self, issuer: str, subject: str, email: str) -> Owner | None:
        """Who an identity provider says this is; None if nobody was invited.

        Args:
            issuer: of the provider.
            subject: the provider's own name for this person, never used again.
            email: the address that it has verified; "" if there is none.
        """
        address = _small(email)
        with self.database.write() as session:
            known = (InvitedRow.issuer == issuer, InvitedRow.subject == subject)
            owner = session.scalar(select(InvitedRow.owner_id).where(*known))
            if owner is None and address:
                invited = session.scalar(
                    select(InvitedRow).where(InvitedRow.email == address, InvitedRow.subject.is_(None))
                )
                if invited is not None:
                    invited.issuer, invited.subject, owner = issuer, subject, invited.owner_id
        return None if owner is None else self.owners.get(owner)

    def remove(self, name: str, *, give_to: str | None = None, delete_all: bool = False) -> Account:
        """Remove an account and end all its logins.

        Args:
            name: of the account.
            give_to: account that gets its classes and lessons.
            delete_all: delete its classes and lessons.

        Returns:
            The account as it was.

        Raises:
            UsageError: there is no such account, or it has classes or lessons and nothing says what happens to them.
            ErasurePending: everything was removed, but its bytes are still in the database's files.
        """
        account = self.get(name)
        if give_to is not None and delete_all:
            raise UsageError(later("Classes can be deleted or given to somebody, not both. Nothing was removed."))
        if give_to is not None:
            self.give(account.owner, self._receiver(give_to))
        elif (account.classes or account.lessons) and not delete_all:
            raise UsageError(
                _still_has(account),
                hint=f"To keep them, type: fewshot accounts remove {quoted(account.owner.name)} --give-to NAME. To "
                f"delete them, type: fewshot accounts remove {quoted(account.owner.name)} --delete-classes",
            )
        self.logins.end_all(account.owner)
        pending = None
        if delete_all:
            try:
                self._delete_all(account.owner)
            except ErasurePending as error:
                pending = error
            finish(self.database)
        forget_last_run(account.owner.id)
        self.owners.remove(account.owner.id)
        with self.database.write() as session:
            append(session, self.by.id, "account removed", details={"account": account.owner.id})
        if pending is not None:
            raise pending
        return account

    def give(self, giver: Owner, receiver: Owner, settings: bool = False) -> tuple[int, int]:
        """Give all classes and lessons of an owner to another one.

        Args:
            giver: whose they are.
            receiver: whose they will be.
            settings: also copy the settings that the receiver has not chosen, such as how long lessons are kept.

        Returns:
            How many classes and lessons.

        Raises:
            UsageError: the receiver is an administrator, or has a class with the name of one of them.
            ExportFault: the receiver's erasures would not reach the exported lessons of the classes.
        """
        if not receiver.teaches:
            raise UsageError(
                later("{name} is an administrator, who has no classes. Nothing was given.", name=receiver.name)
            )
        if giver.id == receiver.id:
            raise UsageError(later("The classes belong to {name} already.", name=receiver.name))
        share_folders(giver.id, receiver.id)
        with self.database.write() as session:
            theirs = {folded(row.name) for row in classes_of(session, receiver.id)}
            clash = sorted(row.name for row in classes_of(session, giver.id) if folded(row.name) in theirs)
            if clash:
                raise UsageError(
                    later(
                        "{name} already has {classes}, so nothing was given. Delete one of the two first, or "
                        "choose another account.",
                        name=receiver.name,
                        classes=_classes(clash),
                    )
                )
            counts = give_rows(session, giver.id, receiver.id)
            told: Details = {"account": giver.id, "receiver": receiver.id, "classes": counts[0], "lessons": counts[1]}
            append(session, self.by.id, "classes given", details=told)
            for owner in (giver, receiver):  # who see only lines of their own
                if any(counts) and owner.id != self.by.id:
                    append(session, owner.id, "classes given", details={"classes": counts[0], "lessons": counts[1]})
            if settings:
                own = OwnerSettingRow
                has = set(session.scalars(select(own.key).where(own.owner_id == receiver.id)))
                for row in session.scalars(select(own).where(own.owner_id == giver.id)).all():
                    if row.key not in has and row.key not in _NOT_GIVEN:
                        session.add(own(owner_id=receiver.id, key=row.key, value=row.value))
        forget_last_run(giver.id)  # a picture that shows students of the receiver now
        return counts

    def _receiver(self, name: str) -> Owner:
        return self.owners.local() if folded(name) == LOCAL else self.get(name).owner

    def _delete_all(self, owner: Owner) -> None:
        of_classes = select(ClassRow.id).where(ClassRow.owner_id == owner.id)
        with self.database.erase() as session:
            for number in session.scalars(of_classes).all():
                intend(session, Intent(owner.id, number))
            for row in session.scalars(select(ClassRow).where(ClassRow.owner_id == owner.id)).all():
                note_class_erased(session, row, self.by.id, "account removed")
            session.execute(
                delete(LessonRow).where(or_(LessonRow.owner_id == owner.id, LessonRow.class_id.in_(of_classes)))
            )
            session.execute(delete(ClassRow).where(ClassRow.owner_id == owner.id))


def _small(email: str) -> str:
    """An address with small letters, of ASCII only: other letters would make one of two addresses, as with ß and ss."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in email.strip())


def _address(email: str) -> str:
    plain = _small(email)
    name, _, site = plain.partition("@")
    if not name or not site or any(sign.isspace() for sign in plain) or len(plain) > 320 or "@" in site:
        raise UsageError(later("{address!r} is not an e-mail address. Expected NAME@SITE.", address=email))
    return plain


def _still_has(account: Account) -> str:
    name, things = account.owner.name, ""
    lessons = later_n("{number} lesson", "{number} lessons", account.lessons) if account.lessons else ""
    if account.classes:
        classes = _classes(account.classes)
        things = later("{first} and {last}", first=classes, last=lessons) if lessons else classes
    if len(account.classes) + account.lessons == 1:
        message = later("{name} was not removed, because {things} belongs to this account.")
    else:
        message = later("{name} was not removed, because {things} belong to this account.")
    return later(message, name=name, things=things or lessons)


def _classes(names: Sequence[str]) -> str:
    return later_n("the class {names}", "the classes {names}", len(names), names=", ".join(names))
