"""A browser without a screen: sends requests to the guard and the gate, keeps cookies, and follows nothing."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from fewshot.accounts.accounts import Accounts
from fewshot.accounts.oidc import Provider
from fewshot.app.guard import Guard, Policy
from fewshot.app.listening import listening_at, public_origins
from fewshot.app.login.desk import Desk
from fewshot.app.login.gate import Gate
from fewshot.app.login.tabs import Tabs

PASSWORD = "four green plums fell"
OTHER = "seven blue pears rose"
PUBLIC = "class.example.org"


class Inner:
    """The app behind the gate: remembers what reached it, and says a secret."""

    def __init__(self) -> None:
        self.reached: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope)
        if scope["type"] == "http":
            headers = [(b"set-cookie", b"_streamlit_xsrf=1"), (b"x-secret", b"1")]
            if scope["path"] == "/_stcore/health":
                headers.append((b"set-cookie", b"more=1"))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"secret"})
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "bytes": message.get("bytes")})


class Site:
    """The app with its guard and gate, on this computer and under a public name."""

    def __init__(self, accounts: Accounts, provider: Provider | None = None, every: float = 0.02) -> None:
        self.accounts, self.inner, self.tabs = accounts, Inner(), Tabs()
        policy = Policy(listening_at("127.0.0.1").hosts(8501), public_origins([f"https://{PUBLIC}"]), (), "http://h")
        self.desk = Desk(accounts, policy, provider)
        self.app = Guard(Gate(self.inner, self.desk, self.tabs, every), policy)
        self.runner = asyncio.Runner()

    def close(self) -> None:
        self.runner.close()


class Answered:
    """What came back."""

    def __init__(self, sent: list[Any]) -> None:
        self.status: int = sent[0]["status"]
        self.headers = [(bytes(name).decode().lower(), bytes(value).decode()) for name, value in sent[0]["headers"]]
        self.text = b"".join(part.get("body", b"") for part in sent[1:]).decode()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def cookies(self) -> list[str]:
        return [value for key, value in self.headers if key == "set-cookie"]


class Browser:
    """One browser with its cookies.

    Args:
        site: that it talks to.
        host: header Host; the public name comes over HTTPS.
        address: where it is.
    """

    def __init__(self, site: Site, host: str = PUBLIC, address: str = "192.0.2.7") -> None:
        self.site, self.host, self.address = site, host, address
        self.cookies: dict[str, str] = {}

    def scope(self, kind: str, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        own = {"host": self.host, "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if kind == "websocket" or method not in ("GET", "HEAD"):
            own["origin"] = f"https://{self.host}" if self.host == PUBLIC else f"http://{self.host}"
        path, _, query = path.partition("?")
        sent = [(name.encode(), value.encode("latin-1")) for name, value in {**own, **headers}.items() if value]
        return {
            "type": kind, "method": method, "path": path, "query_string": query.encode(), "headers": sent,
            "scheme": "http" if kind == "http" else "ws", "client": (self.address, 5000), "subprotocols": [],
        }  # fmt: skip

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answered:
        """Send one request."""
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.site.runner.run(self.site.app(self.scope("http", method, path, named), receive, send))
        answer = Answered(sent)
        for cookie in answer.cookies:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return answer

    def form(self, path: str, **fields: str) -> Answered:
        """Send a form."""
        return self.ask(path, "POST", urlencode(fields).encode(), content_type="application/x-www-form-urlencoded")

    def log_in(self, name: str, password: str = PASSWORD, after: str = "") -> Answered:
        """Type name and password."""
        return self.form("/login", name=name, password=password, next=after)

    @property
    def inside(self) -> bool:
        """Whether a page is shown."""
        return self.ask("/").status == 200


def talk(
    browser: Browser, messages: list[bytes | None], protocol: str = "streamlit", path: str = "/_stcore/stream"
) -> list[dict[str, object]]:
    """What a WebSocket answers; it ends with the last message."""
    sent: list[dict[str, object]] = []
    left: list[object] = [{"type": "websocket.connect"}]
    left += [{"type": "websocket.receive", "bytes": data} for data in messages]
    left += [{"type": "websocket.disconnect", "code": 1000}]

    async def receive() -> object:
        return left.pop(0)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = browser.scope("websocket", "GET", path, {"sec-websocket-protocol": protocol})
    browser.site.runner.run(browser.site.app(scope, receive, send))
    return sent
