"""The field with which a teacher shares a window: a button, a small picture of what is watched, and how it goes."""

from __future__ import annotations

import streamlit as st

from fewshot.app.sharing.window import SharedWindow
from fewshot.app.sharing.words import words
from fewshot.app.shell import asset
from fewshot.translation import LANGUAGE

_share = st.components.v2.component(
    "fewshot_share",
    html="""<div class="share">
<video muted autoplay playsinline hidden></video>
<p class="words" role="status"></p>
<button type="button" class="choose first"></button>
<button type="button" class="stop" hidden></button>
<a target="_blank" rel="noopener"></a>
</div>""",
    css=asset("share.css"),
    js=asset("share_field.js"),
)


def share_field(window: SharedWindow) -> None:
    """Draw the field. What is shared goes on while other pages of the app are open in this tab."""
    data = {
        "ticket": window.ticket,
        "connected": window.connected,
        "words": words(),
        "language": LANGUAGE.get(),
    }
    _share(data=data, key=f"share-{window.number}")
