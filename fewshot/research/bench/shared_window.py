"""How many pictures of a shared window come while the page that shares it is visible, and while it is hidden."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.app.sharing.pages import routes
from fewshot.app.sharing.window import SharedWindow, new_window
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.live.sparing import CALL_FPS
from fewshot.research.bench.virtual_display import virtual_display

TITLE = "the call that is shared"
_STATE = "document.visibilityState"
_CALL = f"""<!doctype html><title>{TITLE}</title>
<body style="margin:0;background:teal"><h1 id=n style="font-size:20vw">0</h1>
<script>
let n = 0;
const draw = () => {{ document.getElementById("n").textContent = n++; requestAnimationFrame(draw); }};
draw();
</script>"""


@dataclass(frozen=True, slots=True)
class Phase:
    """Pictures that came in one phase.

    Attributes:
        name: what the page was.
        seconds: how long it lasted.
        pictures: how many came.
        longest: seconds between two pictures at most.
        width: pixels of the last one.
        state: what the browser says of the page: "visible" or "hidden".
    """

    name: str
    seconds: float
    pictures: int
    longest: float
    width: int
    state: str

    @property
    def pace(self) -> float:
        """Pictures per second."""
        return self.pictures / self.seconds


class _Counter(threading.Thread):
    """Takes the pictures as a lesson does, and notes when they came."""

    def __init__(self, window: SharedWindow) -> None:
        super().__init__(daemon=True)
        self.times: list[float] = []
        self.width = 0
        self._window = window

    def run(self) -> None:
        for captured in self._window:
            self.times.append(time.monotonic())
            self.width = captured.frame.shape[1]


def measured(chromium: str, folder: Path, visible: float, hidden: float, pace: float = CALL_FPS) -> list[Phase]:
    """Share a moving tab through TLS, first from a visible page and then from a hidden one.

    Args:
        chromium: path of the browser; it opens windows on its own virtual display (Xvfb).
        folder: empty, for a certificate and the browser's profile.
        visible, hidden: seconds of the two phases.
        pace: pictures per second that the server asks for.
    """
    window = new_window(LOCAL_TEACHER)
    window.set_pace(pace)
    counter = _Counter(window)
    try:
        with ExitStack() as stack:
            display, _ = stack.enter_context(virtual_display(1400, 900))
            address = stack.enter_context(_served(folder))
            browser = stack.enter_context(_browser(chromium, folder, display, address))
            call, page = browser.first(), browser.tab(f"{address}/share/?ticket={window.ticket}")
            browser.show(page)
            _until(lambda: browser.said(page, "document.querySelector('.share')?.dataset.state") == "choose")
            browser.said(page, "document.querySelector('.choose').click()")
            _until(lambda: browser.said(page, "document.querySelector('.share').dataset.state") == "ready")
            browser.show(page)
            counter.start()
            _until(lambda: len(counter.times) > 3)
            phases = [_phase("visible", lambda: browser.said(page, _STATE), counter, visible)]
            browser.show(call)
            _until(lambda: browser.said(page, _STATE) == "hidden")
            return [*phases, _phase("hidden behind the call", lambda: browser.said(page, _STATE), counter, hidden)]
    finally:
        window.close()


def _phase(name: str, state: Callable[[], Any], counter: _Counter, seconds: float) -> Phase:
    begun = time.monotonic()
    time.sleep(seconds)  # nothing may touch the page: that could wake it
    ended = time.monotonic()
    times = [at for at in counter.times if begun <= at < ended]
    edges = [begun, *times, ended]
    longest = max(later - earlier for earlier, later in itertools.pairwise(edges))
    return Phase(name, ended - begun, len(times), longest, counter.width, str(state()))


class _Browser:
    """A browser over its debugging port. Playwright is not used, because its pages are always visible."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/json"

    def tab(self, url: str) -> str:
        """Open an address in a tab. Returns its id."""
        return str(self._get(f"new?{urllib.parse.quote(url, safe='')}", "PUT")["id"])

    def first(self) -> str:
        """The tab with the call, as soon as it is loaded."""
        _until(lambda: any(one.get("title") == TITLE for one in self._get("list")))
        return str(next(one["id"] for one in self._get("list") if one.get("title") == TITLE))

    def show(self, tab: str) -> None:
        """Bring a tab to the front."""
        self._get(f"activate/{tab}")

    def said(self, tab: str, script: str) -> Any:
        """What a script returns in a tab; it counts as a click."""
        from websockets.sync.client import connect

        (address,) = [one["webSocketDebuggerUrl"] for one in self._get("list") if one["id"] == tab]
        asked = {"id": 1, "method": "Runtime.evaluate", "params": {"expression": script, "userGesture": True}}
        with connect(address, max_size=None) as socket:
            socket.send(json.dumps(asked))
            return json.loads(socket.recv(timeout=30))["result"]["result"].get("value")

    def _get(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self._address}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:  # nosec B310: our own browser
            content = answer.read()
        return json.loads(content) if path.partition("/")[0] != "activate" else None


@contextmanager
def _browser(chromium: str, folder: Path, display: str, address: str) -> Iterator[_Browser]:
    profile = folder / "profile"
    command = [
        chromium, "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-sync",
        "--ignore-certificate-errors", "--remote-debugging-port=0", "--remote-allow-origins=*",
        "--window-size=1280,800", f"--user-data-dir={profile}", f"--auto-select-tab-capture-source-by-title={TITLE}",
        f"{address}/call",
    ]  # fmt: skip
    environment = {**os.environ, "DISPLAY": display, "HOME": str(folder)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            written = profile / "DevToolsActivePort"
            _until(lambda: written.is_file() and written.read_text(encoding="utf-8").count("\n"))
            yield _Browser(int(written.read_text(encoding="utf-8").split()[0]))
        finally:
            running.terminate()


def _until(true: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"It did not come true within {seconds:g} seconds.")
        time.sleep(0.05)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The routes of the app that sharing needs, through TLS, in a thread."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    certificate, key = _certificate(folder)
    app = Starlette(
        routes=[*routes(lambda _scope: LOCAL_TEACHER), Route("/call", lambda _request: HTMLResponse(_CALL))]
    )
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", ssl_certfile=certificate, ssl_keyfile=key,
        ssl_version=ssl.PROTOCOL_TLS_SERVER, ws="websockets-sansio",
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    _until(lambda: server.started)
    try:
        yield f"https://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that only this measurement knows."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
