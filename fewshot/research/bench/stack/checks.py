"""What must work through the stack, and what must be refused; each check returns what it saw, or fails in words."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from typing import Any

import requests

from fewshot.errors import FewshotError
from fewshot.research.bench.stack import browser
from fewshot.research.bench.stack.programs import HOST, PASSWORD, TEACHER, Stack

COOKIE = "__Host-fewshot-login"
WRONG = "wrong"


class CheckFailed(FewshotError):
    """Something did not work, or was not refused."""


def require(good: object, said: str) -> None:
    """Fail if something is not as it should be.

    Raises:
        CheckFailed: it is not.
    """
    if not good:
        raise CheckFailed(said)


class Visitor:
    """A browser, as far as requests can be one: it trusts Caddy's authority, and keeps cookies."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.session = stack, requests.Session()
        self.session.trust_env = False
        self.session.verify = str(stack.certificate)

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET a path through TLS."""
        return self.session.get(self.stack.url + path, timeout=30, **more)

    def log_in(self, password: str = PASSWORD, origin: str | None = None) -> requests.Response:
        """Send the form of the login page; the answer is not followed."""
        form = {"name": TEACHER, "password": password, "next": "/"}
        headers = {"Origin": origin or self.stack.url}
        return self.session.post(
            f"{self.stack.url}/login", data=form, headers=headers, timeout=60, allow_redirects=False
        )


def login_page(stack: Stack) -> str:
    """Without a login, the first page is the login page, over TLS with Caddy's certificate."""
    visitor = Visitor(stack)
    answer = visitor.get("/")
    require(answer.status_code == 200 and 'name="password"' in answer.text, f"no login page: {answer.status_code}")
    require("read along" not in answer.text, "the login page says that the network can read along")
    require("strict-transport-security" in answer.headers, "no Strict-Transport-Security")
    try:
        requests.get(stack.url, timeout=10)
    except requests.exceptions.SSLError:
        return "login page; without Caddy's authority the certificate is refused"
    raise CheckFailed("a certificate that nobody vouches for was taken")


def log_in(stack: Stack) -> str:
    """A wrong password and another page's form are refused; the right password gives a cookie for this site only."""
    visitor = Visitor(stack)
    require(visitor.log_in("not the password").status_code == 401, "a wrong password was taken")
    require(visitor.log_in(origin="https://evil.example").status_code == 403, "another page's form was taken")
    answer = visitor.log_in()
    require(answer.status_code == 303, f"no login: {answer.status_code}")
    cookie = next((text for text in _cookies(answer) if text.startswith(COOKIE)), "").lower()
    require(all(word in cookie for word in ("secure", "httponly", "samesite")), f"an open cookie: {cookie[40:]}")
    page = visitor.get("/")
    require("streamlit" in page.text.lower(), "no page after the login")
    return "wrong password 401, foreign form 403, right password 303 and the page"


def page_socket(stack: Stack) -> str:
    """The WebSocket of the pages opens with the login's cookie from the own origin, and not otherwise."""
    visitor = Visitor(stack)
    visitor.log_in()
    cookie = {"Cookie": f"{COOKIE}={visitor.session.cookies.get(COOKIE)}"}
    with _socket(stack, "/_stcore/stream", stack.url, cookie, subprotocols=["streamlit"]):
        pass
    for origin, headers in ((stack.url, {}), ("https://evil.example", cookie)):
        require(not _opens(stack, "/_stcore/stream", origin, headers), f"opened for {origin} with {list(headers)}")
    return "opens with cookie and own origin; refused without cookie, and for another site"


def service(stack: Stack) -> str:
    """The service answers through TLS with a token, and refuses without one."""
    visitor = Visitor(stack)
    require(visitor.get("/api/health").status_code == 200, "no health")
    require(visitor.get("/api/me").status_code == 401, "no token, and no refusal")
    token = new_token(stack)
    answer = visitor.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    require(answer.status_code == 200 and "localhost" in answer.text, f"{answer.status_code}: {answer.text[:200]}")
    return "health 200, without token 401, with token 200"


def lesson(stack: Stack) -> str:
    """A lesson over the WebSocket of the service: one frame in, its moment out."""
    import cv2
    import numpy as np

    frame = cv2.imencode(".jpg", np.full((360, 640, 3), 90, np.uint8))[1].tobytes()
    require(not _opens(stack, "/api/stream", None, {}), "a lesson without token was opened")
    headers = {"Authorization": f"Bearer {new_token(stack)}"}
    with _socket(stack, "/api/stream", None, headers) as socket:
        socket.send(json.dumps({"type": "start", "record": False}))
        ready = json.loads(socket.recv(timeout=120))
        require(ready.get("type") == "ready", f"not ready: {ready}")
        begun = time.monotonic()
        socket.send(frame)
        moment = json.loads(socket.recv(timeout=60))
        while moment.get("type") == "take":
            moment = json.loads(socket.recv(timeout=60))
        seconds = time.monotonic() - begun
        require("type" not in moment, f"no moment: {moment}")
        socket.send(json.dumps({"type": "end"}))
    return f"frame to moment in {1000 * seconds:.0f} ms (the first frame, on a shared computer)"


def turn(stack: Stack) -> str:
    """Packets go through coturn with the password, and not with another one or to another address."""
    right = stack.secret("turn_password").read_text().strip()

    def passes(password: str, peer: str) -> bool:
        words = ["turnutils_uclient", "-u", "fewshot", "-w", password, "-p", str(stack.ports["turn"]), "-n", "5"]
        words += ["-y"] if peer == HOST else ["-e", peer]
        done = subprocess.run([*words, HOST], capture_output=True, text=True, timeout=90, check=False)
        said = done.stdout + done.stderr
        # It prints both while it works; only the last ones count.
        lost = re.findall(r"Total lost packets (\d+)", said)
        came = re.findall(r"tot_recv_msgs=(\d+)", said)
        return done.returncode == 0 and lost[-1:] == ["0"] and bool(came) and came[-1] != "0"

    require(passes(right, HOST), "no packets through coturn")
    require(not passes("wrong", HOST), "packets with a wrong password")
    require(not passes(right, "192.0.2.1"), "packets to a foreign address")
    return "packets pass; refused with a wrong password, and to another address"


def database_password(stack: Stack) -> str:
    """The database asks who comes over the network for the password."""
    import psycopg

    try:
        psycopg.connect(host=HOST, port=stack.ports["database"], user="fewshot", dbname="fewshot", password=WRONG)
    except psycopg.OperationalError as error:
        require("password authentication failed" in str(error), str(error))
        return "a wrong password is refused"
    raise CheckFailed("the database took a wrong password")


def copy_and_back(stack: Stack) -> str:
    """``deploy/backup.sh`` copies the database, and the copy gives back the same rows."""
    target = stack.folder / "backups"
    target.mkdir(exist_ok=True)
    words = {"PGHOST": HOST, "PGPORT": str(stack.ports["database"]), "PGUSER": "fewshot", "PGDATABASE": "fewshot"}
    environment = {**os.environ, **words, "TARGET": str(target)}
    environment["PASSWORD_FILE"] = str(stack.secret("database_password"))
    done = subprocess.run(
        [shutil.which("sh") or "sh", str(stack.deploy / "backup.sh"), "once"],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    require(done.returncode == 0, done.stderr)
    (copy,) = target.glob("fewshot-*.dump")
    environment["PGPASSWORD"] = stack.secret("database_password").read_text().strip()
    before = _rows(stack, "fewshot")
    for restore in (["createdb", "again"], ["pg_restore", "--dbname", "again", "--exit-on-error", str(copy)]):
        subprocess.run(restore, env=environment, check=True, capture_output=True, timeout=120)
    require(before == _rows(stack, "again") and sum(before.values()) > 0, "the copy holds other rows")
    return f"{len(before)} tables with {sum(before.values())} rows, the same after pg_restore"


def database_gone(stack: Stack) -> str:
    """Without its database the app is not ready, and it is again when the database is back."""
    visitor = Visitor(stack)
    stack.stop("database")
    require(visitor.get("/api/health").status_code == 200, "the app died with its database")
    require(visitor.get("/api/ready").status_code == 503, "ready without a database")
    stack.start_database()
    require(_ready_again(visitor), "not ready after the database was back")
    return "ready 503 without the database, 200 after it is back"


def app_anew(stack: Stack) -> str:
    """A request waits while the app starts anew, and tokens and logins hold."""
    visitor = Visitor(stack)
    visitor.log_in()
    token = new_token(stack)
    begun = time.monotonic()
    stack.stop("app")
    ended = time.monotonic() - begun
    stack.start_app()
    began = time.monotonic() - begun - ended
    headers = {"Authorization": f"Bearer {token}"}
    require(visitor.get("/api/me", headers=headers).status_code == 200, "the token is gone")
    require('name="password"' not in visitor.get("/").text, "the login is gone")
    return f"stopped in {ended:.1f} s, ready again in {began:.1f} s; token and login hold"


CHECKS: dict[str, Callable[[Stack], str]] = {
    "login page through TLS": login_page,
    "login": log_in,
    "WebSocket of the pages": page_socket,
    "service at /api": service,
    "a lesson over its WebSocket": lesson,
    "coturn": turn,
    **browser.CHECKS,
    "password of the database": database_password,
    "copy of the database, and back": copy_and_back,
    "database stopped and started": database_gone,
    "app stopped and started": app_anew,
}


def run_checks(stack: Stack) -> list[dict[str, str]]:
    """A row for each check; one that fails does not stop the others."""
    rows = []
    for name, check in CHECKS.items():
        try:
            rows.append({"check": name, "result": check(stack), "held": "yes"})
        except browser.NotRun as missing:
            rows.append({"check": name, "result": str(missing), "held": "not run"})
        except (FewshotError, requests.RequestException, OSError, subprocess.SubprocessError, ValueError) as error:
            rows.append({"check": name, "result": f"{type(error).__name__}: {error}"[:300], "held": "NO"})
    return rows


def new_token(stack: Stack) -> str:
    """A token of the teacher for reading and lessons."""
    words = ("tokens", "add", "trial", "--scope", "read", "--scope", "lesson", "--as", TEACHER)
    found = re.search(r"fewshot_\S+", stack.fewshot(*words))
    require(found, "no token was printed")
    return found[0] if found else ""


def _cookies(answer: requests.Response) -> list[str]:
    return [str(text) for text in answer.raw.headers.getlist("Set-Cookie")]


def _socket(stack: Stack, path: str, origin: str | None, headers: dict[str, str], **more: Any) -> Any:
    from websockets.sync.client import connect
    from websockets.typing import Origin

    trusted = ssl.create_default_context(cafile=str(stack.certificate))
    return connect(
        stack.url.replace("https", "wss") + path, ssl=trusted, origin=Origin(origin) if origin else None,
        additional_headers=headers,
        open_timeout=60, proxy=None, **more,
    )  # fmt: skip


def _opens(stack: Stack, path: str, origin: str | None, headers: dict[str, str]) -> bool:
    from websockets.exceptions import WebSocketException

    try:
        with _socket(stack, path, origin, headers) as socket:
            socket.recv(timeout=5)  # a refusal may come after the handshake
            return True
    except TimeoutError:
        return True
    except WebSocketException:
        return False


def _ready_again(visitor: Visitor) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if visitor.get("/api/ready").status_code == 200:
            return True
        time.sleep(0.5)
    return False


def _rows(stack: Stack, database: str) -> dict[str, int]:
    import psycopg
    from psycopg import sql

    password = stack.secret("database_password").read_text().strip()
    with psycopg.connect(
        host=HOST, port=stack.ports["database"], user="fewshot", dbname=database, password=password
    ) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        count = sql.SQL("SELECT count(*) FROM {}")
        counted = {name: connection.execute(count.format(sql.Identifier(name))).fetchone() for (name,) in found}
    return {name: row[0] for name, row in counted.items() if row}
