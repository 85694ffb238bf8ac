"""Enrolling from a lesson without a photo: the unknown people of one lesson, and "who is this?"."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from fewshot.app.guests import Guest, Guests
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.classroom.names import check_name
from fewshot.classroom.roster import Roster
from fewshot.errors import UsageError
from fewshot.translation import later, tr
from fewshot.types import Frame

KEPT_AFTER = 600.0
"""Seconds after the end of a lesson for which its unknown people can still be named."""
GONE = later("These faces are no longer in memory, so nothing was enrolled. Choose another person.")


class EnrollsPictures(Protocol):
    """The part of ``fewshot.Classroom`` that is needed here."""

    def roster(self) -> Roster: ...

    def enroll_pictures(
        self,
        student: str,
        pictures: Sequence[tuple[Frame, str | None]],
        *,
        consent_by: str | None = None,
        consent_until: str | date | None = None,
        from_camera: bool = False,
        looks_like: Sequence[str] = (),
    ) -> StudentResult: ...


@dataclass(frozen=True, slots=True)
class Naming:
    """A teacher's answer to "Who is this?".

    Attributes:
        student: the name.
        new: it is the name of a new student; False adds the pictures to a student of the class.
        shows: id of each picture to enroll -> the state that the teacher confirmed; None if none was confirmed.
        consent_by, consent_until: as for ``Classroom.enroll``; not needed while a recorded consent is valid.
        looks_like: a student of the class who looks like this one, and is somebody else.
    """

    student: str
    new: bool
    shows: Mapping[int, str | None]
    consent_by: str | None = None
    consent_until: date | None = None
    looks_like: str | None = None


def enroll_guest(room: EnrollsPictures, guest: Guest | None, naming: Naming, from_camera: bool = True) -> StudentResult:
    """Enroll one person from pictures in memory, by the same rules as from photos.

    Args:
        room: the class.
        guest: the person; None if the faces are gone.
        naming: the teacher's answer.
        from_camera: see ``Classroom.enroll``.

    Raises:
        UsageError: a name, consent or picture is missing, the name is another student's, or the faces are gone.
        StoreError: the database cannot be written.
    """
    if not naming.student.strip():
        raise UsageError(tr("Who is this? Write the name, or choose a student of the class."))
    name, roster = check_name(naming.student, "student"), room.roster()
    key = roster.key_for(name)
    if naming.new and key in roster.students:
        raise UsageError(
            tr(
                "There is a student called {student} in the class already. If this is the same person, choose “A "
                "student of this class”. If not, use another name, such as {student} 2.",
                student=key,
            )
        )
    if not naming.new and key not in roster.students:
        raise UsageError(
            tr("{student} is no longer in the class. Choose another student, or enroll a new one.", student=key)
        )
    known = roster.students.get(key)
    if naming.consent_by is None and not (known and known.consent.holds(date.today())):
        raise UsageError(tr("Who gave consent? Fill in the field “Consent given by”. Nothing is stored before that."))
    if guest is None:
        raise UsageError(tr(GONE))
    if not naming.shows:
        raise UsageError(tr("All pictures are left out. Keep at least one."))
    chosen = [crop for crop in guest.crops if crop.id in naming.shows]
    if len(chosen) < len(naming.shows):
        raise UsageError(tr("Better pictures of this person have come meanwhile. Look at them, and click again."))
    return room.enroll_pictures(
        key, [(crop.frame(), naming.shows[crop.id]) for crop in chosen], consent_by=naming.consent_by,
        consent_until=naming.consent_until, from_camera=from_camera,
        looks_like=[naming.looks_like] if naming.looks_like else (),
    )  # fmt: skip


class LessonGuests(Guests):
    """The unknown people of one lesson. They vanish with it, and at once if the lesson fails."""

    def __init__(self) -> None:
        super().__init__()
        self.room: EnrollsPictures | None = None
        self._timer: threading.Timer | None = None

    @property
    def possible(self) -> bool:
        """Whether this lesson has faces and a class to enroll into."""
        return self.room is not None

    def roster(self) -> Roster:
        """The students of the class now.

        Raises:
            UsageError: the faces are gone.
            StoreError: the database is damaged.
        """
        if self.room is None:
            raise UsageError(tr(GONE))
        return self.room.roster()

    def switch(self, on: bool) -> None:
        """See ``Guests.switch``; it stays off where nothing can be enrolled."""
        super().switch(on and self.possible)

    def over(self, failed: bool) -> None:
        """The lesson has ended: its people can be named for a while. After a failure nothing is left."""
        self.end()
        if failed or not self.on:
            self.vanish()
            return
        self._timer = threading.Timer(KEPT_AFTER, self.vanish)
        self._timer.daemon = True
        self._timer.start()

    def vanish(self) -> None:
        """Forget everybody, for good: nobody can be enrolled from this lesson any more."""
        if self._timer is not None:
            self._timer.cancel()
        self.end()
        self.room = None
        self.switch(False)

    def enroll(self, number: int, naming: Naming, admit: Callable[[str], None]) -> StudentResult:
        """Enroll a person; see ``enroll_guest``. ``admit`` gets the name, before the running lesson shows it.

        Raises:
            UsageError, StoreError: see ``enroll_guest``.
        """
        room = self.room
        if room is None:
            raise UsageError(tr(GONE))
        result = enroll_guest(room, self.of(number), naming)
        if result.stands and any(photo.status == "accepted" for photo in result.photos):
            self.name(number)
            admit(result.student)
        return result
