"""``live``, ``analyze`` and ``enroll`` with the models of a service: where ``FEWSHOT_API`` names one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from fewshot.classroom.consent import PURPOSE, Consent, make_consent
from fewshot.classroom.enrollment_report import EnrollmentReport, PhotoResult, StudentResult
from fewshot.classroom.folder import read_folder
from fewshot.classroom.names import quoted
from fewshot.classroom.photos import PhotoFile
from fewshot.classroom.places import includes, refuse_uncovered, server_purpose, uncovered
from fewshot.classroom.roster import Roster, Student
from fewshot.client import Client
from fewshot.client.address import understood
from fewshot.client.client import URL, NamesFrom
from fewshot.client.loop import RemoteLoop
from fewshot.commands.roster import enrollment_table
from fewshot.commands.runs import Run, require_class
from fewshot.commands.terminal import FAILED, NOTICE, console, print_error, say, tell
from fewshot.errors import UsageError
from fewshot.session.analysis.words import counted

AT_ONCE = 20
"""Photos of one request."""


def service(**options: object) -> Client | None:
    """The service that the environment names; None if it names none.

    Args:
        options: options of the command that only the computer with the models can follow; each is None or false if it
            was not given.

    Raises:
        UsageError: such an option was given, or the address or token cannot be used.
    """
    client = Client.from_environment()
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if client is not None and given:
        raise UsageError(
            f"{', '.join(given)} cannot be used together with {URL}, because the models are at the service. Leave it "
            f"out, or unset {URL}."
        )
    return client


def run_at(
    client: Client,
    class_name: str | None,
    lesson: str | None,
    source: str,
    watch: Callable[[Run], int],
    names: NamesFrom = "faces",
) -> int:
    """Run a source through a service. Before the first frame it is said where pictures go.

    Args:
        client: of the service.
        class_name: recognise the students of this class.
        lesson: title of the lesson to be recorded there; None records nothing.
        source: name of the source.
        watch: runs the sources. Returns the exit code.
        names: where names come from; the service reads the labels.

    Raises:
        UsageError: there is no such class, or a consent does not include the server.
        FewshotError: the service does not answer.
    """
    require_class(names, class_name)
    with client:
        students = _students(client, class_name)
        say([client.address.sentence()])
        loop = RemoteLoop(client, class_name, lesson, source, names)
        number = None
        try:
            if lesson is not None:
                number = loop.start().number
            code = watch(Run(loop, students))
        finally:
            loop.end()
    if number is not None:
        tell(f"Lesson {number} was recorded at the service {client.address.host}.")
    return code


def _students(client: Client, class_name: str | None) -> list[str]:
    """The students who may be named, each with a consent that includes the server."""
    if class_name is None:
        client.me()  # the token is checked before a source is opened
        return []
    consents = {name: student.consent for name, student in _roster(client, class_name).students.items()}
    valid = {name: consent for name, consent in consents.items() if consent.holds(date.today())}
    refuse_uncovered(uncovered(valid, client.address.place), client.address.place)
    return sorted(valid)


def enroll_at(
    client: Client,
    class_name: str,
    photos: Path,
    consent_by: str | None,
    consent_until: str | None,
    purpose: str | None,
    looks_like: Sequence[str] = (),
) -> int:
    """Enroll a folder at a service. Returns 0 if at least one student is enrolled, else 1.

    Raises:
        UsageError: a consent does not include the server, or the folder cannot be used.
        FewshotError: the service does not answer, or refuses.
    """
    with client:
        place = client.address.place
        known = {name.casefold(): name for name in client.classes()}
        name = known.get(class_name.casefold(), class_name)
        roster = _roster(client, name) if class_name.casefold() in known else Roster(class_name)
        found = read_folder(photos, _given(consent_by, consent_until, purpose, place), roster)
        refuse_uncovered(uncovered(found.consents, place), place)
        say([client.address.sentence()])
        if class_name.casefold() not in known:
            client.create(class_name)
        report = EnrollmentReport(notes=list(found.notes))
        for student, files in found.photos.items():
            if student not in found.consents:
                report.students.append(StudentResult(student, problem=found.reasons.get(student, "")))
                continue
            report.students.append(_enroll(client, name, student, files, found.consents[student], looks_like))
        count = len(client.roster(name))
    report.students += found.refused()
    console().print(enrollment_table(report))
    say(report.notes)
    tell(NOTICE)
    if not report.standing:
        print_error(f"No student from {photos} was enrolled in {name}. The reasons are above.")
        return FAILED
    tell(f"{counted(count, 'student')} in class {name} of the service {client.address.host}.")
    tell(f"To watch the class, type: fewshot live --class {quoted(name)}")
    return 0


def _given(consent_by: str | None, until: str | None, purpose: str | None, place: str) -> Consent | None:
    if consent_by is None and until is None:
        return None
    made = make_consent(consent_by or "", until)
    said = purpose or PURPOSE
    if not includes(said, place):
        raise UsageError(
            f"Pictures go to the server {place}, and this consent does not include that. Nothing was sent.",
            hint=f"If the consent includes it, add: --consent-purpose {quoted(server_purpose(place))}",
        )
    return Consent(made.given_by, made.day, said, made.until)


def _enroll(
    client: Client, classroom: str, student: str, files: list[PhotoFile], consent: Consent, looks_like: Sequence[str]
) -> StudentResult:
    """Send the photos of one student, some at a time."""
    result = StudentResult(student)
    result.photos = [PhotoResult(file.path, file.emotion, "rejected", file.problem) for file in files if file.problem]
    usable = [file for file in files if not file.problem]
    for start in range(0, len(usable), AT_ONCE):
        part = usable[start : start + AT_ONCE]
        answer = client.enroll(
            classroom, student, [file.path for file in part], [file.emotion for file in part],
            consent_by=consent.given_by, consent_until=consent.until, consent_purpose=consent.purpose,
            looks_like=looks_like,
        )  # fmt: skip
        with understood(client.address.host):
            for photo in answer["photos"]:
                path = part[photo["index"]].path
                reason = photo["reason"] or photo["doubt"]
                result.photos.append(PhotoResult(path, photo["emotion"], photo["status"], reason))
            result.notes += answer["notes"]
            result.problem = result.problem or answer["problem"]
            result.stands = answer["enrolled"]
    return result


def _roster(client: Client, class_name: str) -> Roster:
    listed = client.roster(class_name)
    with understood(client.address.host):
        return Roster(class_name, {each["name"]: Student(each["name"], _consent(each["consent"])) for each in listed})


def _consent(said: dict[str, Any]) -> Consent:
    def day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    return Consent(
        said["given_by"], date.fromisoformat(said["day"]), said["purpose"], day(said["until"]), day(said["withdrawn"])
    )
