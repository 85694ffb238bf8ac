"""The pages of the login: plain HTML that works without JavaScript and loads nothing."""

from __future__ import annotations

from html import escape

from fewshot.translation import ENGLISH, LANGUAGE, later, tr
from fewshot.translation.words import UNREVIEWED

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · fewshot</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 10vh auto; padding: 0 1rem; }}
a {{ color: inherit; }}
label {{ display: block; margin-top: 1rem; }}
input {{ box-sizing: border-box; width: 100%; padding: .5rem; font: inherit;
  border: 1px solid #767676; border-radius: 8px; }}
button, .button {{ box-sizing: border-box; display: block; width: 100%; margin-top: 1.5rem; padding: .6rem;
  font: inherit; text-align: center; border-radius: 8px; }}
button {{ border: 0; background: #4b45a8; color: #fff; cursor: pointer; }}
.button {{ border: 1px solid; background: none; color: inherit; text-decoration: none; }}
.said {{ border-left: 4px solid #c0392b; padding: .25rem .75rem; }}
.note {{ border-left: 4px solid #b7791f; padding: .25rem .75rem; }}
</style></head><body><main><h1>{title}</h1>
{body}
</main></body></html>
"""
LOG_IN = later("Log in")
_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Where a name will stand that is written in bold."""
OPEN_NETWORK = later(
    "This address has no TLS (it begins with http://), so others in the network can read the password along. Ask the "
    "person who runs this server for an address with https://."
)


def login_page(
    after: str, said: str = "", name: str = "", provider: str = "", passwords: bool = True, safe: bool = True
) -> str:
    """The page that asks who somebody is.

    Args:
        after: path to open afterwards.
        said: what was wrong with the last try.
        name: the name that was typed.
        provider: what the button for the identity provider says; "" for no button.
        passwords: whether passwords can be used.
        safe: whether nobody in the network can read along.
    """
    parts = [_said(said), "" if safe else f'<p class="note">{_words(OPEN_NETWORK)}</p>']
    if passwords:
        parts.append(
            '<form method="post" action="/login">'
            f'<input type="hidden" name="next" value="{escape(after)}">'
            f'<label for="name">{_words(later("Name"))}</label>'
            f'<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" '
            'spellcheck="false" required autofocus>'
            f'<label for="password">{_words(later("Password"))}</label>'
            '<input id="password" name="password" type="password" autocomplete="current-password" required>'
            f"<button>{_words(LOG_IN)}</button></form>"
        )
    if provider:
        parts.append(
            f'<a class="button" href="/login/oidc?next={escape(_quoted(after))}">'
            f"{escape(tr('Log in with {provider}', provider=provider))}</a>"
        )
    forgotten = _words(later("Forgotten? Ask the administrator of this server for a new password."))
    parts.append(f"<p>{forgotten}</p>" if passwords else "")
    return _page(LOG_IN, parts)


def password_page(name: str, must: bool, said: str = "") -> str:
    """The page where somebody chooses another password.

    Args:
        name: who it is.
        must: whether nothing else can be done before.
        said: what was wrong with the last try.
    """
    why = later("The password that you were given is good for one login. Choose your own now.") if must else ""
    return _page(
        later("Choose a password"),
        [
            _said(said),
            f"<p>{_words(why)}</p>" if why else "",
            '<form method="post" action="/login/password">'
            f'<input type="hidden" name="username" value="{escape(name)}" autocomplete="username">'
            f'<label for="old">{_words(later("Password that you have now"))}</label>'
            '<input id="old" name="old" type="password" autocomplete="current-password" required autofocus>'
            f'<label for="new">{_words(later("New password (at least 12 characters)"))}</label>'
            '<input id="new" name="new" type="password" autocomplete="new-password" minlength="12" required>'
            f'<label for="again">{_words(later("New password again"))}</label>'
            '<input id="again" name="again" type="password" autocomplete="new-password" minlength="12" required>'
            f"<button>{_words(later('Save'))}</button></form>",
            "" if must else f'<p><a href="/">{_words(later("Back"))}</a></p>',
        ],
    )


def logout_page(name: str) -> str:
    """The page that asks whether somebody wants to log out; a link must not be able to do it."""
    who = escape(tr("You are logged in as {name}. Your logins on other devices go on.", name=_MARK))
    change, back = _words(later("Change the password")), _words(later("Back"))
    return _page(
        later("Log out"),
        [
            f"<p>{who.replace(_MARK, f'<strong>{escape(name)}</strong>')}</p>",
            f'<form method="post" action="/logout"><button>{_words(later("Log out"))}</button></form>',
            '<form method="post" action="/logout"><input type="hidden" name="everywhere" value="yes">'
            f'<button class="button">{_words(later("Log out on all devices"))}</button></form>',
            f'<p><a href="/login/password">{change}</a> · <a href="/">{back}</a></p>',
        ],
    )


def message_page(title: str, said: str) -> str:
    """A page that says what went wrong, with a link to begin again."""
    return _page(title, [_said(said), f'<a class="button" href="/login">{_words(LOG_IN)}</a>'])


def _said(text: str) -> str:
    return f'<p class="said" role="alert">{_words(text)}</p>' if text else ""


def _words(text: str) -> str:
    """A text in the reader's language, as HTML."""
    return escape(tr(text))


def _page(title: str, parts: list[str]) -> str:
    note = "" if LANGUAGE.get() == ENGLISH else f"<p><small>{_words(UNREVIEWED)}</small></p>"
    body = "\n".join(part for part in (*parts, note) if part)
    return _PAGE.format(language=LANGUAGE.get(), title=_words(title), body=body)


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/")
