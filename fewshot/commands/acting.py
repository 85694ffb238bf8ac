"""``--as``: for which teacher a command works."""

from __future__ import annotations

from fewshot.classroom.names import quoted
from fewshot.classroom.owners import owner_of_name
from fewshot.commands.terminal import name_in_commands
from fewshot.database.owner import LOCAL_TEACHER, Owner, teacher


def acting_as(name: str | None) -> Owner:
    """The teacher with this name; None is the local teacher. Commands that are printed then name the teacher too.

    Raises:
        UsageError: there is no account with this name, or it is that of an administrator.
    """
    if name is None:
        return LOCAL_TEACHER
    owner = teacher(owner_of_name(name))
    name_in_commands("" if owner == LOCAL_TEACHER else quoted(owner.name))
    return owner
