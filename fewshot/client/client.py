"""``fewshot.Client``: a service in one object."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from fewshot.client.address import address_of, understood, unreachable
from fewshot.client.records import result_of
from fewshot.errors import FewshotError, UsageError
from fewshot.types import FrameResult

if TYPE_CHECKING:
    from fewshot.client.lesson import RemoteLesson
    from fewshot.live.sinks.table import Results
    from fewshot.live.sources import Watchable

_T = TypeVar("_T")
NamesFrom = Literal["faces", "labels", "both"]
"""Where the names of students come from."""
URL, TOKEN = "FEWSHOT_API", "FEWSHOT_TOKEN"  # nosec B105: names of variables
_HOW = "On the computer of the service, type: fewshot tokens add NAME --scope read --scope lesson"
TIMEOUT = (10.0, 120.0)
"""Seconds to connect, and to wait for an answer."""


class Client:
    """A service for one teacher: classes, pictures, lessons and reports.

    Pictures go to the computer of the service. Off this computer only ``https`` is used, and the students' consents
    must include the server.

    Args:
        url: address of the service, such as "https://class.example.org".
        token: from ``fewshot tokens add`` on that computer.
        certificate: certificate of an authority of your own (.pem); None trusts the usual ones.

    Raises:
        UsageError: it is not the address of a service, or it has no TLS; or there is no such certificate.

    Examples:
        >>> client = fewshot.Client("https://class.example.org", token)  # doctest: +SKIP
        >>> print([face.student for face in client.read("class.jpg", "physics").readings])  # doctest: +SKIP
    """

    def __init__(self, url: str, token: str, certificate: str | Path | None = None) -> None:
        import requests

        self.address = address_of(url)
        self._token = token.strip()
        if not self._token or not self._token.isascii() or not self._token.isprintable():
            raise UsageError(
                "The token of the service is missing, or is not one.",
                hint=_HOW,
            )
        if certificate is not None and not Path(certificate).is_file():
            raise UsageError(
                f"There is no file {certificate}, which should be the certificate of an authority (.pem).",
                hint="Give its path, for example in FEWSHOT_API_CERTIFICATE, or leave it out",
            )
        self._certificate = None if certificate is None else str(certificate)
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc file would replace the token
        self._session.verify = self._certificate or True
        self._session.headers["authorization"] = f"Bearer {self._token}"

    @classmethod
    def from_environment(cls) -> Client | None:
        """The service that ``FEWSHOT_API`` and ``FEWSHOT_TOKEN`` name; None if they name none.

        Raises:
            UsageError: see ``Client``.
        """
        url = os.environ.get(URL, "").strip()
        if not url:
            return None
        if not os.environ.get(TOKEN, "").strip():
            raise UsageError(
                f"{URL} names a service, and {TOKEN} is missing.",
                hint=f"Set {TOKEN} to a token. {_HOW}",
            )
        return cls(url, os.environ[TOKEN], os.environ.get("FEWSHOT_API_CERTIFICATE") or None)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def me(self) -> dict[str, Any]:
        """Whose service it is for this token, and what the token may do."""
        return self._json("GET", "/me", dict)

    def classes(self) -> dict[str, int]:
        """Name -> number of the classes that the token may use."""
        return self._json("GET", "/classes", lambda said: {str(each["name"]): int(each["id"]) for each in said})

    def create(self, classroom: str) -> None:
        """Create an empty class.

        Raises:
            FewshotError: there is one already, or the token may not.
        """
        self._json("POST", "/classes", dict, json={"name": classroom})

    def roster(self, classroom: str) -> list[dict[str, Any]]:
        """The students of a class: number, name, photos by emotion, and the consent.

        Raises:
            UsageError: there is no such class.
        """
        return self._json(
            "GET", f"/classes/{self._number(classroom)}", lambda said: [dict(e) for e in said["students"]]
        )

    def enroll(
        self,
        classroom: str,
        student: str,
        photos: Sequence[str | Path],
        emotions: Sequence[str | None] = (),
        *,
        consent_by: str = "",
        consent_until: date | None = None,
        consent_purpose: str = "",
        looks_like: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Enroll a student, or add photos to one.

        Args:
            classroom: name of the class, which must exist.
            student: name of the student.
            photos: files.
            emotions: what each photo shows, None for a photo without a label; one for all, or none.
            consent_by: who gave consent; not needed while a recorded consent is valid.
            consent_until: last day of the consent.
            consent_purpose: what the consent is for; off this computer it must include the server.
            looks_like: enrolled students who look like this one, such as a twin.

        Returns:
            Whether the student is enrolled now, and the result of every photo, in their order.

        Raises:
            FewshotError: there is no consent, or the service cannot do it.
        """
        files = [("photos", (f"{index}", Path(photo).read_bytes())) for index, photo in enumerate(photos)]
        data: dict[str, Any] = {
            "student": student, "emotions": [emotion or "" for emotion in emotions], "consent_by": consent_by,
            "consent_purpose": consent_purpose, "looks_like": list(looks_like),
        }  # fmt: skip
        if consent_until is not None:
            data["consent_until"] = str(consent_until)
        return self._json("POST", f"/classes/{self._number(classroom)}/students", dict, files=files, data=data)

    def forget(self, classroom: str, student: str) -> dict[str, Any] | None:
        """Erase a student and all their data.

        Returns:
            The signed receipt, which names nobody. None if the student is removed, and the old bytes are erased later,
            as soon as no other program reads the database of the service; or if the service is older than receipts.

        Raises:
            UsageError: there is no such class or student.
        """
        found = {each["name"]: each["id"] for each in self.roster(classroom)}
        if student not in found:
            raise UsageError(f"There is no student {student!r} in class {classroom!r} of the service.")
        path = f"/classes/{self._number(classroom)}/students/{found[student]}"
        receipt = self._json("DELETE", path, lambda said: said.get("receipt"))
        return None if receipt is None else dict(receipt)

    def read(
        self, picture: str | Path | bytes, classroom: str | None = None, *, names: NamesFrom = "faces"
    ) -> FrameResult:
        """Read one picture.

        Args:
            picture: a file, or its bytes.
            classroom: recognise the students of this class.
            names: where names come from, see ``Classroom.loop``.

        Raises:
            FewshotError: it is not a picture, or the service cannot do it.
        """
        data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        fields: dict[str, Any] = {} if classroom is None else {"class_id": self._number(classroom)}
        fields |= _said(names)
        found = self._json("POST", "/pictures", result_of, files={"picture": ("picture", data)}, data=fields)
        if names == "labels" and any(reading.identity_score is not None for reading in found.readings):
            raise FewshotError(
                f"The service at {self.address.host} has recognised faces, although names were to come from labels "
                "only: it is older than this option. Update it."
            )
        return found

    def watch(
        self,
        source: Watchable,
        classroom: str | None = None,
        *,
        title: str | None = None,
        names: NamesFrom = "faces",
    ) -> Results:
        """Watch a source, as ``Classroom.watch``, with the models of the service.

        Args:
            source: see ``open_source``.
            classroom: recognise the students of this class.
            title: record the lesson at the service with this title; None records nothing.
            names: where names come from, see ``Classroom.loop``.

        Raises:
            FewshotError: the source gives no picture, or the service cannot do it.
        """
        from fewshot.client.loop import RemoteLoop
        from fewshot.live.pipeline import Pipeline
        from fewshot.live.sinks.table import Results
        from fewshot.live.sources import open_source

        loop = RemoteLoop(self, classroom, title, names=names)

        def steps() -> Any:
            try:
                yield from (step.result for step in Pipeline(loop, open_source(source)).run())
            finally:
                loop.end()

        return Results(steps())

    def lesson(
        self,
        classroom: str | None = None,
        *,
        title: str | None = None,
        source: str = "frames",
        names: NamesFrom = "faces",
    ) -> RemoteLesson:
        """Start a lesson whose frames you send yourself; see ``RemoteLesson``.

        Args:
            classroom: recognise the students of this class.
            title: record the lesson at the service with this title; None records nothing.
            source: name of the source.
            names: where names come from, see ``Classroom.loop``. It holds until the end of the lesson.

        Raises:
            FewshotError: the service does not answer, or refuses the lesson; one that is older than this option too.
        """
        from fewshot.client.lesson import RemoteLesson

        asked = {"type": "start", "title": title or "", "record": title is not None, "source": source, **_said(names)}
        if classroom is not None:
            asked["class_name"] = classroom
        return RemoteLesson(self, asked)

    def lessons(self, classroom: str | None = None) -> list[dict[str, Any]]:
        """The recorded lessons, newest first."""
        wanted = {} if classroom is None else {"class_id": self._number(classroom)}
        return self._json("GET", "/lessons", lambda said: [dict(each) for each in said], params=wanted)

    def board(self, lesson: int) -> dict[str, Any]:
        """The state of a lesson now."""
        return self._json("GET", f"/lessons/{lesson}/board", dict)

    def mark(self, lesson: int, text: str, second: float | None = None) -> int:
        """Mark a moment of a lesson. Returns the number of the mark."""
        asked = {"text": text, "second": second}
        return self._json("POST", f"/lessons/{lesson}/marks", lambda said: int(said["id"]), json=asked)

    def report(self, lesson: int, format: str = "html", aggregate: bool = False) -> bytes:
        """The report of a lesson as a file: "html" or "pdf"; "csv" or "parquet" is a table of its readings."""
        asked = {"format": format, "aggregate": str(aggregate).lower()}
        return bytes(self._answer("GET", f"/lessons/{lesson}/report", params=asked).content)

    def connection(self) -> dict[str, Any]:
        """What a WebSocket to the service needs, by the names of ``websockets.sync.client.connect``."""
        tls = ssl.create_default_context(cafile=self._certificate) if self.address.sockets[:3] == "wss" else None
        return {
            "uri": f"{self.address.sockets}/stream", "ssl": tls, "proxy": None, "max_size": 2**24,
            "additional_headers": {"authorization": f"Bearer {self._token}"},
        }  # fmt: skip

    def _number(self, classroom: str) -> int:
        known = self.classes()
        found = {name.casefold(): number for name, number in known.items()}.get(classroom.casefold())
        if found is None:
            names = ", ".join(sorted(known)) or "none"
            raise UsageError(f"The service has no class {classroom!r} that this token may use. Its classes: {names}.")
        return found

    def _json(self, method: str, path: str, read: Callable[[Any], _T], **more: Any) -> _T:
        """What ``read`` makes of the JSON of an answer."""
        answer = self._answer(method, path, **more)
        try:
            said = answer.json()
        except ValueError as error:
            raise self._no_service() from error
        with understood(self.address.host):
            return read(said)

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        import requests

        try:
            answer = self._session.request(
                method, f"{self.address.http}{path}", timeout=TIMEOUT, allow_redirects=False, **more
            )
        except (requests.RequestException, OSError) as error:
            raise unreachable(self.address.host, error) from error
        if 200 <= answer.status_code < 300:
            return answer
        raise self.problem(answer.status_code, answer.content)

    def problem(self, status: int, body: bytes) -> FewshotError:
        """The error for an answer of the service that is one."""
        if status == 401:
            return UsageError(
                f"The service at {self.address.host} does not know this token, or it has ended. Check {TOKEN}, or ask "
                "for another token."
            )
        try:
            said = str(json.loads(body)["detail"])
        except (ValueError, KeyError, TypeError):
            return self._no_service(status)
        wrong = status in (401, 403, 404, 413, 422)
        return (UsageError if wrong else FewshotError)(f"The service at {self.address.host} says: {said}")

    def _no_service(self, status: int = 200) -> FewshotError:
        return FewshotError(
            f"What answers at {self.address.http} is not this service (status {status}). Check the address in {URL}."
        )


def _said(names: NamesFrom) -> dict[str, str]:
    """Left out where it is the usual one: a service that is older does not know it."""
    return {} if names == "faces" else {"names": names}
