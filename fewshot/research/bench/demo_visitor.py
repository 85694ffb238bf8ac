"""A visitor of a Streamlit app without a browser: it clicks buttons, and asks again as often as a page would."""

from __future__ import annotations

import threading
import time
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from fewshot.errors import FewshotError

_BOARD = "bidi_component"
"""What Streamlit calls an element of our own, such as the tiles."""


class Visitor:
    """One tab. Its thread reads what the server sends until ``leave``.

    Args:
        address: of the app, http://host:port.

    Attributes:
        boards: how often tiles or pictures were drawn.
        texts: the latest texts, for messages of errors.
    """

    def __init__(self, address: str) -> None:
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        self._asks, self._says = BackMsg, ForwardMsg
        self.boards = 0
        self.texts: list[str] = []
        self._buttons: dict[str, str] = {}
        self._pages: dict[str, str] = {}
        self._again: dict[str, tuple[float, float]] = {}
        self._page, self._open = "", True
        self._news = threading.Condition()
        self._socket = connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream", origin=Origin(address), max_size=None,
            subprotocols=[Subprotocol("streamlit")], open_timeout=60, ping_interval=None,
        )  # fmt: skip
        self._ask()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def see(self, label: str, within: float = 400.0) -> None:
        """Wait for a button.

        Raises:
            FewshotError: it does not come.
        """
        self._until(lambda: label in self._buttons, f"the button {label!r}", within)

    def click(self, label: str) -> None:
        """Click a button that was seen."""
        self._ask(trigger=self._buttons[label])

    def to(self, name: str) -> None:
        """Go to another page by its name in the menu."""
        self._page = self._pages[name]
        self._buttons.clear()
        self._ask()

    def see_text(self, part: str, within: float = 400.0) -> None:
        """Wait for a text.

        Raises:
            FewshotError: it does not come.
        """
        self._until(lambda: any(part in text for text in self.texts), f"the text {part!r}", within)

    def see_boards(self, count: int, within: float = 400.0) -> None:
        """Wait until tiles were drawn so many times more.

        Raises:
            FewshotError: they are not.
        """
        wanted = self.boards + count
        self._until(lambda: self.boards >= wanted, "the tiles", within)

    def leave(self) -> None:
        """Close the tab."""
        self._open = False
        self._socket.close()
        self._thread.join(10)

    def _until(self, seen: Any, what: str, within: float) -> None:
        with self._news:
            if not self._news.wait_for(seen, within):
                raise FewshotError(f"{what} did not come within {within:g} s. The page says: {self.texts[-5:]}")

    def _ask(self, trigger: str = "", fragment: str = "") -> None:
        asked = self._asks()
        asked.rerun_script.page_script_hash = self._page
        if fragment:
            asked.rerun_script.fragment_id, asked.rerun_script.is_auto_rerun = fragment, True
        if trigger:
            state = asked.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = trigger, True
        self._socket.send(asked.SerializeToString())

    def _live(self) -> None:
        while self._open:
            now = time.monotonic()
            for fragment, (interval, due) in list(self._again.items()):
                if due <= now:
                    self._again[fragment] = (interval, now + interval)
                    self._ask(fragment=fragment)
            soon = min((due for _, due in self._again.values()), default=now + 0.5)
            try:
                data = self._socket.recv(timeout=max(0.01, min(0.5, soon - now)))
            except TimeoutError:
                continue
            except ConnectionClosed:
                return
            message = self._says()
            message.ParseFromString(data)
            with self._news:
                self._hear(message)
                self._news.notify_all()

    def _hear(self, message: Any) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
        elif kind == "auto_rerun":
            interval = float(message.auto_rerun.interval)
            self._again[message.auto_rerun.fragment_id] = (interval, time.monotonic() + interval)
        elif kind == "stop_auto_rerun":
            for fragment in list(message.stop_auto_rerun.fragment_ids) or list(self._again):
                self._again.pop(fragment, None)
        elif kind == "navigation":
            self._pages = {page.page_name: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "delta" and message.delta.HasField("new_element"):
            element = message.delta.new_element
            shown = element.WhichOneof("type")
            if shown == "button":
                self._buttons[element.button.label] = element.button.id
            elif shown == _BOARD:
                self.boards += 1
            elif shown in ("alert", "markdown", "heading"):
                self.texts.append(str(getattr(element, shown).body))
