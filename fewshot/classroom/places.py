"""A consent covers what happens to pictures: if they go to a server, its purpose must say so."""

from __future__ import annotations

from collections.abc import Mapping

from fewshot.classroom.consent import PURPOSE, Consent
from fewshot.errors import UsageError
from fewshot.translation import later, tr


def computer(place: str) -> str:
    """What a sentence calls the computer that works and keeps: "" is the one of whoever reads it.

    >>> computer(""), computer("class.example.org")
    ('this computer', 'the server class.example.org')
    """
    return f"the server {place}" if place else "this computer"


def on_computer(place: str) -> str:
    """Where something is kept, in the reader's language.

    >>> on_computer(""), on_computer("class.example.org")
    ('on this computer', 'on the server class.example.org')
    """
    return tr("on the server {server}", server=place) if place else tr("on this computer")


def where_pictures_go(place: str) -> str:
    """Where pictures go, as a sentence for whoever sends them, in their language; "" is their own computer.

    >>> where_pictures_go("class.example.org")
    'Pictures leave this computer: they go to the server class.example.org, which reads them and keeps none.'
    """
    if place:
        return tr(
            "Pictures leave this computer: they go to the server {server}, which reads them and keeps none.",
            server=place,
        )
    return tr("Pictures stay on this computer, which reads them and keeps none.")


def server_purpose(place: str) -> str:
    """The purpose that names a server.

    >>> server_purpose("class.example.org")
    'readings of facial expression in this class, computed on the server class.example.org'
    """
    return f"{PURPOSE}, computed on the server {place}"


def includes(purpose: str, place: str) -> bool:
    """Whether a purpose covers that pictures go to a place; "" is this computer.

    >>> includes("readings, on our server", "class.example.org"), includes("readings in class", "class.example.org")
    (True, False)
    """
    said = purpose.casefold()
    return not place or "server" in said.split() or place.casefold() in said


def uncovered(consents: Mapping[str, Consent], place: str) -> list[str]:
    """Students whose consent does not cover a place, sorted."""
    return sorted(name for name, consent in consents.items() if not includes(consent.purpose, place))


def refuse_uncovered(names: list[str], place: str) -> None:
    """Refuse to send pictures to a place that consents do not cover.

    Raises:
        UsageError: there are such students.
    """
    if names:
        shown = ", ".join(names[:5])
        if len(names) > 5:
            shown = later("{files} and {number} more", files=shown, number=len(names) - 5)
        raise UsageError(
            later(
                "The consent of {students} does not include that pictures go to the server {server}. Ask for a "
                "consent that says so, and record it with a purpose that names the server, such as: {purpose}.",
                students=shown,
                server=place,
                purpose=server_purpose(place),
            )
        )
