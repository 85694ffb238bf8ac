"""Requests of one teacher for what belongs to another one: over HTTP and WebSockets, and through the stores."""

from __future__ import annotations

import http.client
import random
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fewshot.accounts.accounts import Accounts
from fewshot.classroom.corrections import unlearn
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow, PortraitRow, StudentRow
from fewshot.errors import FewshotError, UsageError
from fewshot.research.bench.served_app import ServedApp
from fewshot.session.check_in_answers import answers_of, close_check_in, open_check_in
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.takeover import begin

SECRET = "zq7kestrel"  # nosec B105: made up for the test
"""In every word that belongs to the first teacher; an answer that holds it has read something."""
PASSWORD = "four green plums fell"  # nosec B105: made up for the test
PATIENCE = 60.0
TAB_NAME = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MEDIA_NAME = re.compile(rb"/media/[0-9a-f]{40,64}\.[a-z0-9]+")
_ODD = (lambda path: path, lambda path: f"/{path}", lambda path: path.replace("/", "/%2e/", 1), str.upper,
        lambda path: f"{path}/", lambda path: path.replace("media", "%6dedia"), lambda path: f"{path}?x=1")  # fmt: skip


class WithLogin(ServedApp):
    """The app with ``--login``."""

    options = ("--login",)


@dataclass(slots=True)
class Tried:
    """Requests of one kind: how many were made, and which of them read or changed something."""

    requests: int = 0
    refused: int = 0
    read: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the first teacher has: the number of a lesson with the ticket of its recorder, and the name of a class."""

    owner: Owner
    lesson: int
    ticket: str
    classroom: str


def make_two(database: Database) -> tuple[Theirs, Owner]:
    """Two teachers; the first one has a class with a student and a portrait, and a running lesson with a marker."""
    accounts = Accounts(database)
    anna, bert = (accounts.add(name, password=PASSWORD) for name in ("Anna", "Bert"))
    classroom = ClassStore(database, anna).create(f"Class {SECRET}")
    with database.write() as session:
        row = session.query(ClassRow).filter_by(owner_id=anna.id).one()
        student = StudentRow(class_id=row.id, name=f"Student {SECRET}")
        session.add(student)
        session.flush()
        session.add(PortraitRow(student_id=student.id, picture=SECRET.encode()))
    lessons = LessonStore(database, anna)
    number = lessons.create(classroom, title=f"Title {SECRET}")
    lessons.mark(number, 1.0, f"Marker {SECRET}")
    return Theirs(anna, number, begin(database, number).ticket, classroom), bert


def through_stores(database: Database, theirs: Theirs, bert: Owner, most: int, seed: int = 0) -> dict[str, Tried]:
    """``most`` calls of the stores in the second teacher's name with the first one's numbers and names."""
    lessons, classes, generator = LessonStore(database, bert), ClassStore(database, bert), random.Random(seed)  # nosec B311: repeatable draws
    of, room, student = theirs.lesson, theirs.classroom, f"Student {SECRET}"
    calls: dict[str, list[Callable[[], object]]] = {
        "lesson": [
            lambda: lessons.info(of), lambda: lessons.load(of), lambda: lessons.readings(of), lessons.lessons,
            lambda: lessons.rename(of, "x"), lambda: lessons.mark(of, 1.0, "x"), lambda: lessons.end(of),
            lambda: lessons.delete(of), lambda: lessons.opened(of), lambda: lessons.lessons(room),
            lambda: lessons.unmark(of, 1), lambda: lessons.stamp(of), lambda: answers_of(lessons, [of]),
            lambda: close_check_in(lessons, [of], student, "asked, fine"), lambda: open_check_in(lessons, of, student),
            lambda: lessons.create(room), lambda: LessonRecorder(lessons, of, threaded=False),
            lambda: LessonRecorder.resume(of, theirs.ticket, database=database, threaded=False, owner=bert),
        ],
        "class": [
            classes.names, lambda: classes.roster(room), lambda: classes.rename(room, "x"),
            lambda: classes.portrait(room, student), lambda: classes.consents(room, student),
            lambda: classes.remove_student(room, student), lambda: classes.rename_student(room, student, "x"),
            lambda: classes.delete(room), lambda: classes.vectors(room), lambda: classes.networks(room),
            lambda: classes.set_portrait(room, student, None), lambda: classes.exists(room),
        ],
        "correction": [
            lambda: unlearn(database, room, generator.randrange(1, 50), owner=bert),
            lambda: lessons.opened(of, generator.randrange(9)),
        ],
    }  # fmt: skip
    tried = {f"{kind}, store": Tried() for kind in calls}
    for number in range(most):
        kind = list(calls)[number % len(calls)]
        call_and_look(tried[f"{kind}, store"], generator.choice(calls[kind]), (SECRET,))
    return tried


def call_and_look(tried: Tried, call: Callable[[], object], secrets: tuple[str, ...]) -> None:
    """Call a store, and look for secrets in the answer."""
    tried.requests += 1
    try:
        found = call()
    except UsageError:
        tried.refused += 1  # its words repeat what was asked for, so they may hold the secret
        return
    if any(secret in repr(found) for secret in secrets):
        tried.read.append(repr(found)[:100])


def cookies_of(app: ServedApp, name: str) -> str:
    """Log in, and return the header ``Cookie`` of that browser."""
    with closing(http.client.HTTPConnection("127.0.0.1", app.port, timeout=PATIENCE)) as connection:
        body = urlencode({"name": name, "password": PASSWORD})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/login", body, {**_own(app), **kind})
        answer = connection.getresponse()
        found = [value.split(";")[0] for key, value in answer.getheaders() if key.lower() == "set-cookie"]
    if not found:
        raise FewshotError(f"{name} could not log in to the app at {app.address}: status {answer.status}.")
    return "; ".join(found)


def over_http(
    app: ServedApp, theirs: Theirs, tabs: list[str], media: list[str], cookie: str, most: int, seed: int = 0
) -> dict[str, Tried]:
    """``most`` requests of the second teacher's browser for the first one's addresses, tabs and pictures."""
    generator = random.Random(seed)  # nosec B311: repeatable draws
    pages = ("report", "live", "classes", "enroll", "settings")
    tried = {f"{kind}, HTTP": Tried() for kind in ("lesson", "class", "media and exports by guessed names", "upload")}
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=PATIENCE)
    for number in range(most):
        kind = list(tried)[number % len(tried)]
        word = urlencode({"lesson": theirs.lesson, "class": theirs.classroom, "owner": theirs.owner.id})
        method, path = "GET", f"/{generator.choice(pages)}?{word}"
        if kind.startswith("media"):
            path = generator.choice(_ODD)(generator.choice(media))
        elif kind.startswith("upload"):
            method = generator.choice(("PUT", "DELETE", "GET", "POST"))
            path = f"/_stcore/upload_file/{generator.choice(tabs)}/{generator.randrange(99)}"
        connection.request(method, path, None if method == "GET" else b"x", {**_own(app), "Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read()
        one = tried[kind]
        one.requests += 1
        one.refused += answer.status >= 400
        # Streamlit answers an address that it does not know with its first page, which holds nothing of anybody.
        passed = answer.status < 400 and kind.startswith(("media", "upload")) and b"<html" not in body
        if SECRET.encode() in body or passed:
            one.read.append(f"{method} {path}: {answer.status}")
    connection.close()
    return tried


def _own(app: ServedApp) -> dict[str, str]:
    return {"Host": f"localhost:{app.port}", "Origin": app.address}


@contextmanager
def tab_of(app: ServedApp, cookie: str, tab: str = "") -> Iterator[Any]:
    """A WebSocket as the app's own page opens it; ``tab`` asks to go on with a session of Streamlit."""
    from websockets.sync.client import connect

    protocols: list[Any] = ["streamlit", "x", *([tab] if tab else [])]
    origin: Any = app.address
    with connect(
        f"ws://localhost:{app.port}/_stcore/stream", origin=origin, additional_headers={"Cookie": cookie},
        subprotocols=protocols, open_timeout=PATIENCE, max_size=None,
    ) as socket:  # fmt: skip
        yield socket


def show(socket: Any, page: str, query: str) -> bytes:
    """All that the app sends when a page is opened with a query, until it is drawn."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    wanted = BackMsg()
    wanted.rerun_script.query_string, wanted.rerun_script.page_name = query, page
    socket.send(wanted.SerializeToString())
    told = b""
    for _ in range(2000):
        data = socket.recv(timeout=PATIENCE)
        told += data
        message = ForwardMsg()
        message.ParseFromString(data)
        if message.WhichOneof("type") == "script_finished":
            break
    return told
