"""Turn the how-to pages for teachers into the app's help: plain HTML without scripts, packaged with the app.

    python .ci/build_help.py            # writes fewshot/app/help/*.html and fewshot/app/help/LANGUAGE/*.html
    python .ci/build_help.py --check    # says which pages are out of date, and writes nothing

The pages are committed, because the installed app shows them and has no Markdown library. A test compares them.

A translation lies in docs/how-to/LANGUAGE. Its first line says which English page it translates, with the first eight
digits of that page's SHA-256: <!-- translates enroll-students.md 1a2b3c4d -->. When the English page has changed, the
app says so above the translation; bring the translation up to date, and put the new digits there.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from html import escape
from pathlib import Path

import markdown

from fewshot.translation import ENGLISH, LANGUAGES

ROOT = Path(__file__).resolve().parents[1]
SOURCE, TARGET = ROOT / "docs/how-to", ROOT / "fewshot/app/help"
PAGES = ("enroll-students", "watch-a-call", "read-a-report")
"""In the order in which the app lists them."""
BEHIND = 'class="behind"'
"""What a translated page is marked with when the English page has changed since."""
MARK = re.compile(r"<!-- translates ([\w-]+)\.md ([0-9a-f]{8}) -->\n+")
PROJECT = "https://github.com/fewshot-classroom/fewshot-classroom/blob/main/docs/"
"""Where links lead that leave these pages. Nothing is loaded from there; a reader may follow them."""

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:17px/1.6 system-ui,sans-serif;margin:0 auto;max-width:42rem;padding:1.5rem;color:#1f2328;"
    "background:#fcfcfb}"
    "a{color:#4b45a8}h1,h2{line-height:1.25}h2{margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #8886}"
    "pre{overflow-x:auto;padding:.8rem;border-radius:8px;background:#8882}code{font-size:.92em}"
    ".admonition{border-left:4px solid #b3261e;padding:.1rem 1rem;margin:1.2rem 0;background:#8881}"
    ".admonition-title{font-weight:600}"
    "@media(prefers-color-scheme:dark){body{color:#eceef1;background:#14161a}a{color:#aba6ff}}"
)
TEMPLATE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - fewshot</title>
<style>{style}</style>
</head>
<body>
{above}<main{behind}>
{body}
</main>
</body>
</html>
"""


def build() -> dict[str, str]:
    """All help pages by file name; those of another language with its folder."""
    titles = {name: _title(source(name)) for name in PAGES}
    listed = "\n".join(f'<li><a href="{name}.html">{escape(title)}</a></li>' for name, title in titles.items())
    pages = {"index.html": _page("Help", f"<h1>Help</h1>\n<ul>\n{listed}\n</ul>", above="")}
    for name, title in titles.items():
        pages[f"{name}.html"] = _page(title, _html(source(name)), above='<p><a href="index.html">Help</a></p>\n')
    for language in LANGUAGES:
        for name in PAGES if language != ENGLISH else ():
            if (SOURCE / language / f"{name}.md").is_file():
                text, behind = translation(name, language)
                note = f" {BEHIND}" if behind else ""
                pages[f"{language}/{name}.html"] = _page(_title(text), _html(text), "", language, note)
    return pages


def source(name: str) -> str:
    """The English page."""
    return (SOURCE / f"{name}.md").read_text(encoding="utf-8")


def digits(name: str) -> str:
    """What the first line of a translation of the present English page says."""
    return hashlib.sha256(source(name).encode()).hexdigest()[:8]


def translation(name: str, language: str) -> tuple[str, bool]:
    """The page in another language with the links of an English one, and whether the English one has changed since.

    Raises:
        ValueError: its first line does not say what it translates.
    """
    path = SOURCE / language / f"{name}.md"
    text = path.read_text(encoding="utf-8")
    found = MARK.match(text)
    if found is None or found[1] != name:
        raise ValueError(f"{path}: the first line must be <!-- translates {name}.md {digits(name)} -->")
    # It lies one folder deeper than the English page.
    return text[found.end() :].replace("](../", "]("), found[2] != digits(name)


def _html(text: str) -> str:
    return markdown.markdown(_linked(text), extensions=["admonition", "fenced_code", "tables"])


def _title(text: str) -> str:
    return text.splitlines()[0].removeprefix("# ")


def _page(title: str, body: str, above: str, language: str = ENGLISH, behind: str = "") -> str:
    return TEMPLATE.format(title=escape(title), style=STYLE, above=above, body=body, language=language, behind=behind)


def _linked(text: str) -> str:
    """Links between these pages stay here; others lead to the project. Pictures are left out: they would be large."""
    text = re.sub(r"!\[[^]]*\]\([^)]*\)\n*", "", text)
    return re.sub(r"\]\((?!https?:)([^)#]+)\.md(#[^)]*)?\)", _target, text)


def _target(match: re.Match[str]) -> str:
    path, anchor = match[1], match[2] or ""
    if path in PAGES:
        return f"]({path}.html)"
    inside = path.removeprefix("../") if path.startswith("../") else f"how-to/{path}"
    return f"]({PROJECT}{inside}.md{anchor})"


def stale() -> list[str]:
    """Names of the committed pages that differ from their source, are missing, or have no source any more."""
    pages = build()
    there = {path.relative_to(TARGET).as_posix(): path.read_text(encoding="utf-8") for path in TARGET.rglob("*.html")}
    return sorted(name for name in pages.keys() | there.keys() if pages.get(name) != there.get(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    names = stale()
    if check:
        sys.exit(f"Out of date: {', '.join(names)}. Type: python .ci/build_help.py" if names else 0)
    pages = build()
    for name in names:
        if name in pages:
            (TARGET / name).parent.mkdir(parents=True, exist_ok=True)
            (TARGET / name).write_text(pages[name], encoding="utf-8")
        else:
            (TARGET / name).unlink()
    print(f"Written: {', '.join(names)}" if names else "The help is up to date.")
    for name, page in pages.items():
        if BEHIND in page:
            print(f"{name} is behind the English page, which now is {digits(Path(name).stem)}.")


if __name__ == "__main__":
    main()
