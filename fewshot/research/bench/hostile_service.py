"""Requests of one teacher's programs for what belongs to another one: ``/api``, WebSockets, tickets, exports, log."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from fewshot.access.audit_page import log_rows
from fewshot.access.export import student_files
from fewshot.access.forget import forget
from fewshot.access.gather import gather
from fewshot.accounts.tickets import Tickets
from fewshot.accounts.tokens import SCOPES, Tokens
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow, StudentRow
from fewshot.research.bench.hostile import PATIENCE, SECRET, Theirs, Tried, call_and_look
from fewshot.research.bench.served_app import ServedApp

PER_TOKEN = 300
"""Requests with one token, fewer than the service allows per minute."""
_BOUNDARY = "fewshot-hostile"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of the first teacher's class and student, as a token of hers would show them."""

    classroom: int
    student: int

    @classmethod
    def of(cls, database: Database, theirs: Theirs) -> Numbers:
        """Read past the owners."""
        with database.read() as session:
            row = session.scalars(select(ClassRow).where(ClassRow.owner_id == theirs.owner.id)).one()
            student = session.scalars(select(StudentRow).where(StudentRow.class_id == row.id)).one()
            return cls(row.id, student.id)


def through_access(database: Database, theirs: Theirs, bert: Owner, most: int, seed: int = 0) -> dict[str, Tried]:
    """``most`` calls of exports, erasures with a receipt, and the audit log, in the second teacher's name."""
    generator, student = random.Random(seed), f"Student {SECRET}"  # nosec B311: repeatable draws
    store = ClassStore(database, bert)
    calls: dict[str, list[Callable[[], object]]] = {
        "export of a student's data": [
            lambda: gather(database, bert, theirs.classroom, student),
            lambda: student_files(database, bert, theirs.classroom, student),
        ],
        "erasure and receipt": [
            lambda: forget(store, theirs.classroom, student), lambda: forget(store, theirs.classroom, student, True),
        ],
        "audit log": [lambda: log_rows(database, generator.randrange(1, 200), bert)],
    }  # fmt: skip
    tried = {f"{kind}, store": Tried() for kind in calls}
    for number in range(most):
        kind = list(calls)[number % len(calls)]
        # The log tells names of accounts, and never one of a student.
        secrets = (SECRET, repr(theirs.owner.name)) if kind == "audit log" else (SECRET,)
        call_and_look(tried[f"{kind}, store"], generator.choice(calls[kind]), secrets)
    return tried


def over_api(
    app: ServedApp, database: Database, theirs: Theirs, bert: Owner, cookie: str, most: int, seed: int = 0
) -> dict[str, Tried]:
    """``most`` requests to ``/api`` with tokens of the second teacher, one for one class, and the login's cookie."""
    generator, numbers = random.Random(seed), Numbers.of(database, theirs)  # nosec B311: repeatable draws
    ClassStore(database, bert).create("his own")
    tokens, tried = Tokens(database), {}
    asked = {"class": _of_class(numbers), "lesson and export": _of_lesson(theirs), "who it is": _of_nobody()}
    for kind in asked:
        tried[f"{kind}, /api"] = Tried()
    headers: dict[str, str] = {}
    for number in range(most):
        if number % PER_TOKEN == 0:
            only = ["his own"] if number % (2 * PER_TOKEN) else None
            text, _ = tokens.add(bert, f"token {number}", [*SCOPES][:-1], only)
            headers = {"Authorization": f"Bearer {text}"}
        kind = list(asked)[number % len(asked)]
        method, path, body = generator.choice(asked[kind])
        own = headers if generator.random() < 0.8 else {"Cookie": cookie, "Origin": app.address}
        status, answer = _ask(app, method, f"/api{path}", body, own)
        one = tried[f"{kind}, /api"]
        one.requests += 1
        one.refused += status >= 400
        if SECRET.encode() in answer or (kind != "who it is" and status < 400):
            one.read.append(f"{method} {path}: {status}")
    return tried


def over_streams(
    app: ServedApp, database: Database, theirs: Theirs, bert: Owner, most: int, seed: int = 0
) -> dict[str, Tried]:
    """``most`` WebSockets of the service that name the first teacher's class and lesson, or come with used tickets."""
    generator, numbers = random.Random(seed), Numbers.of(database, theirs)  # nosec B311: repeatable draws
    hers = Tokens(database).add(theirs.owner, "hers", ["lesson"])[1]
    tickets, tried = (
        Tickets(database),
        {"lesson, WebSocket of /api": Tried(), "used tickets, WebSocket of /api": Tried()},
    )
    first: Sequence[dict[str, Any]] = (
        {"type": "start", "class_id": numbers.classroom}, {"type": "start", "class_name": theirs.classroom},
        {"type": "resume", "lesson": theirs.lesson, "ticket": theirs.ticket},
        {"type": "resume", "lesson": theirs.lesson, "ticket": "0" * 32},
        {"type": "start", "class_id": numbers.classroom, "record": False},
    )  # fmt: skip
    text = ""
    for number in range(most):
        if number % PER_TOKEN == 0:
            text, _ = Tokens(database).add(bert, f"stream {number}", ["lesson"])
        used = number % 4 == 3
        ticket = tickets.make(token=hers.id) if used else ""
        if used:
            tickets.use(ticket)
        one = tried["used tickets, WebSocket of /api" if used else "lesson, WebSocket of /api"]
        told = _talk(app, generator.choice(first), text, ticket)
        one.requests += 1
        one.refused += "ready" not in told
        if "ready" in told or SECRET in told:
            one.read.append(told[:100])
    return tried


def _of_class(numbers: Numbers) -> list[tuple[str, str, Any]]:
    of = f"/classes/{numbers.classroom}"
    student = {"student": "somebody", "consent_by": "me"}
    return [
        ("GET", of, None), ("POST", f"{of}/students", student), ("DELETE", f"{of}/students/{numbers.student}", None),
        ("GET", f"{of}/corrections", None), ("DELETE", f"{of}/corrections/1", None),
        ("POST", "/pictures", {"class_id": str(numbers.classroom)}),
        ("GET", f"/lessons?class_id={numbers.classroom}", None),
    ]  # fmt: skip


def _of_lesson(theirs: Theirs) -> list[tuple[str, str, Any]]:
    of = f"/lessons/{theirs.lesson}"
    reports = [("GET", f"{of}/report?format={kind}", None) for kind in ("html", "pdf", "csv", "parquet")]
    return [
        ("GET", of, None), ("GET", f"{of}/board", None), ("POST", f"{of}/marks", b'{"text": "mine now"}'),
        ("POST", f"{of}/corrections", b'{"student": "somebody", "actually": "sad"}'), *reports,
        ("GET", f"{of}/report?aggregate=true", None),
    ]  # fmt: skip


def _of_nobody() -> list[tuple[str, str, Any]]:
    """What everybody may ask, and what tells nothing of others."""
    return [
        ("GET", "/me", None), ("GET", "/classes", None), ("GET", "/lessons", None), ("POST", "/tickets", b""),
        ("GET", "/metrics", None), ("GET", "/openapi.json", None), ("GET", "/ready", None),
    ]  # fmt: skip


def _ask(app: ServedApp, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, bytes]:
    more, content = {}, body
    if isinstance(body, dict):
        fields = "".join(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in body.items()
        )
        file = "photos" if "student" in body else "picture"
        fields += f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{file}"; filename="x"\r\n\r\nx\r\n'
        content, more = (
            f"{fields}--{_BOUNDARY}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
        )
    elif body:
        more = {"Content-Type": "application/json"}
    with closing(http.client.HTTPConnection("127.0.0.1", app.port, timeout=PATIENCE)) as connection:
        connection.request(method, path, content, {"Host": f"localhost:{app.port}", **headers, **more})
        answer = connection.getresponse()
        return answer.status, answer.read()


def _talk(app: ServedApp, first: dict[str, Any], token: str, ticket: str) -> str:
    """All that a WebSocket tells, until it is closed or has nothing to tell for a moment."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    query = f"?ticket={ticket}" if ticket else ""
    headers = {} if ticket else {"Authorization": f"Bearer {token}"}
    told = ""
    with suppress(WebSocketException, TimeoutError), connect(
        f"ws://localhost:{app.port}/api/stream{query}", additional_headers=headers, open_timeout=PATIENCE, proxy=None
    ) as socket:  # fmt: skip
        socket.send(json.dumps(first))
        while True:
            told += str(socket.recv(timeout=PATIENCE))
            if '"ready"' in told:
                break
    return told
