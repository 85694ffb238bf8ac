"""To whom classes, lessons and settings belong: to a teacher of this installation."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from fewshot.errors import UsageError
from fewshot.translation import later

Role = Literal["teacher", "administrator"]

LOCAL = "local"
"""Id and name of the teacher who works at this computer. This teacher is always there, and needs no account."""

DEMO = "FEWSHOT_DEMO"
"""Variable: "1" makes the app a demo that anybody may open, without a login."""


def is_demo() -> bool:
    """Whether this process is the demo: every visitor is an owner with a store in memory, and no other store opens."""
    return os.environ.get(DEMO, "") not in ("", "0")


@dataclass(frozen=True, slots=True)
class Owner:
    """A teacher, or an administrator, who has no classes.

    Attributes:
        id: random hex digits, never used again; ``LOCAL`` for the local teacher.
        name: as a person typed it; names differ in more than upper and lower case.
        role: "teacher" has classes and lessons; "administrator" has accounts, retention and connection to care for,
            and sees no reading.
    """

    id: str
    name: str
    role: Role = "teacher"

    @property
    def teaches(self) -> bool:
        """Whether this owner may have classes and lessons."""
        return self.role == "teacher"

    @property
    def manages(self) -> bool:
        """Whether this owner may change settings of the installation: an administrator, or the local teacher."""
        return self.role == "administrator" or self.id == LOCAL


def teacher(owner: Owner) -> Owner:
    """The owner, who must be a teacher.

    Raises:
        UsageError: an administrator has no classes and sees no reading.
    """
    if not owner.teaches:
        raise UsageError(
            later(
                "{name} is an administrator. An administrator has no classes and sees no readings. Use the account "
                "of a teacher.",
                name=owner.name,
            ),
            hint="To name a teacher, add --as NAME to the command. To see the accounts: fewshot accounts",
        )
    return owner


LOCAL_TEACHER = Owner(LOCAL, LOCAL)
"""The owner of everything that names no other one."""
