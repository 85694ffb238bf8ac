"""The browser side: a grid of tiles that can be clicked, updated several times per second without flicker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from fewshot.app.shell import asset
from fewshot.translation import tr

_board = st.components.v2.component(
    "fewshot_board",
    html='<div class="grid" role="group"></div>',
    css=asset("board.css"),
    js=asset("board.js"),
)
_camera_check = st.components.v2.component("fewshot_camera_check", html="<span></span>", js=asset("camera_check.js"))
_language = st.components.v2.component(
    "fewshot_language",
    html="<span hidden></span>",
    js="export default function ({ data }) { document.documentElement.lang = data.language; }",
)
_page = st.components.v2.component("fewshot_page", html="<span hidden></span>", js=asset("page.js"))
_picture = st.components.v2.component(
    "fewshot_picture", html='<img class="picture" alt="">', css=asset("picture.css"), js=asset("picture.js")
)
_mirror = st.components.v2.component(
    "fewshot_mirror",
    html='<div class="mirror"><video autoplay muted playsinline aria-label="Your own camera"></video>'
    '<div class="oval" hidden></div></div>',
    css=asset("mirror.css"),
    js=asset("mirror.js"),
)
_photo_table = st.components.v2.component(
    "fewshot_photo_table",
    html="""
<div class="photos">
  <label class="only" hidden><input type="checkbox"> Only photos that need a look</label>
  <div class="frame" role="region" aria-label="Photos before they are enrolled" tabindex="0">
    <table>
      <thead><tr><th scope="col">Enroll</th><th scope="col">Photo</th><th scope="col">Student</th>
        <th scope="col">Shows</th><th scope="col">Network sees</th><th scope="col">Consent</th>
        <th scope="col">What happens</th></tr></thead>
      <tbody></tbody>
    </table>
  </div>
  <datalist id="names"></datalist>
</div>""",
    css=asset("photo_table.css"),
    js=asset("photo_table.js"),
)


def board(data: dict[str, Any], key: str, on_pick: Callable[[], None] | None = None) -> str | None:
    """Show tiles (``tiles.board_data``). Returns the key of the tile that was just clicked."""
    result = _board(data=data, key=key, on_picked_change=on_pick or (lambda: None))
    picked = getattr(result, "picked", None)
    return str(picked) if picked else None


def camera_check(key: str) -> str | None:
    """Ask the browser for its camera once and release it. Returns "ok", the browser's error, or None so far."""
    result = _camera_check(key=key, on_outcome_change=lambda: None)
    outcome = getattr(result, "outcome", None)
    return str(outcome) if outcome else None


def picture(jpeg: bytes, words: str, key: str) -> None:
    """Show a frame instead of the previous one."""
    import base64

    _picture(data={"jpeg": base64.b64encode(jpeg).decode(), "words": words}, key=key)


def mark_language(language: str, key: str) -> None:
    """Tell the browser the language of the page: screen readers speak it, and nothing is translated once more."""
    _language(data={"language": language}, key=key)


def mend_page(key: str) -> None:
    """What Streamlit leaves out, for this page and all others of the tab.

    The Tab key stops at what is moved sideways, messages have a name, and a tab whose login has ended asks to log in.
    """
    _page(key=key)


def photo_table(data: dict[str, Any], key: str) -> None:
    """Show photos that are not enrolled yet. What is changed lies in the session under ``key``, as ``changes``."""
    _photo_table(data=data, key=key, default={"changes": data["changes"]}, on_changes_change=lambda: None)


def mirror(oval: tuple[float, float, float], constraints: dict[str, Any], key: str) -> None:
    """Show the browser's own camera as in a mirror, with an oval where the face should be.

    Args:
        oval: middle across and down, and height, as shares of the picture.
        constraints: of the camera, as those of the picture that is sent.
        key: another one opens the camera anew.
    """
    label = tr("Your own camera")
    _mirror(data={"oval": list(oval), "constraints": constraints, "label": label}, key=key)
