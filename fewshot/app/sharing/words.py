"""What a page says about a shared window. Its scripts have no words of their own: they get these."""

from __future__ import annotations

from fewshot.translation import later, tr

STATES = {
    "choose": later("No window is shared yet."),
    "insecure": later(
        "Browsers share a window only on pages at http://localhost or over HTTPS. Open this page on the computer on "
        "which fewshot runs, ask an administrator to serve it over HTTPS, or choose another source."
    ),
    "refused": later(
        "The browser was not allowed to share a window, or nothing was chosen. Click “Choose the window” and pick one. "
        "On a Mac, the browser also needs the permission “Screen Recording” in the system settings."
    ),
    "failed": later(
        "The browser could not share this window. Pick another one, or close programs that record the screen."
    ),
    "unable": later(
        "This browser cannot share a window. Phones and tablets cannot. On a computer, use Chrome, Edge, Firefox or "
        "Safari, or choose another source."
    ),
    "connecting": later("Connecting …"),
    "ready": later("This window is chosen. Nothing is sent before the lesson begins."),
    "sharing": later("This window is shared."),
    "fallback": later(
        "This window is shared. This browser sends fewer pictures while this page is hidden: keep it visible, in a "
        "separate window. Chrome and Edge do not need that."
    ),
    "lost": later("The connection is lost. This tab connects again as soon as it can."),
    "stopped": later("You have stopped sharing. Click “Choose the window” to go on."),
    "covered": later("The window shows nothing at the moment. Is it minimised?"),
    "elsewhere": later(
        "Another tab shares a window with this lesson. Click “Choose the window” to share from this tab instead."
    ),
    "over": later(
        "Nothing is shared any more: the lesson has ended, or the page Live was loaded again before it began. To share "
        "again, open the page Live."
    ),
    "unfit": later("The server did not accept these pictures. Load the page again."),
    "login": later(
        "Your login has ended, so nothing is shared any more. Log in, and choose the window again on the page Live."
    ),
    "gone": later(
        "There was no connection for ten minutes, so nothing is shared any more. Click “Choose the window” to try "
        "again."
    ),
    "unreachable": later("fewshot does not answer. Click “Choose the window” again when it runs."),
}
"""State of ``share.js`` -> the sentence for it."""
REST = {
    "pick": later("Choose the window"),
    "another": later("Choose another window"),
    "stop": later("Stop sharing"),
    "shown": later("What is shared"),
    "link": later("Share from a separate tab, which stays when this page is loaded again"),
    "title": later("Share a window - fewshot"),
    "busy": later("Sharing - fewshot"),
    "heading": later("Share the call's window"),
    "about": later(
        "Switch the call to gallery view, then choose its window here. Leave this tab open during the lesson; it may "
        "be behind other windows. The pictures go to the fewshot server at this address and nowhere else, and none is "
        "kept."
    ),
    "script": later("This page needs JavaScript."),
    "nothing": later("This address names no lesson. Open the page Live, choose “Shared window”, and follow its link."),
}
"""Everything else, by the names that the scripts and the separate page use."""


def words() -> dict[str, str]:
    """All of it in the reader's language."""
    return {name: tr(text) for name, text in {**STATES, **REST}.items()}
