"""Check the built documentation site: every link and picture leads somewhere, nothing is loaded from elsewhere.

    python .ci/check_site.py site

zensical's strict mode checks the links between Markdown pages. This checks the rest on the finished pages: pictures,
links in HTML and in docstrings, anchors, and that no page loads a script, style, font or picture from the internet.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements whose address the browser fetches by itself. An <a> is only followed when somebody clicks it."""
NAMES_ONLY = {"canonical", "alternate"}
"""Kinds of <link> that are not fetched."""


class Page(HTMLParser):
    """The links, loads and anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if values.get("id"):
            self.anchors.add(values["id"])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        address = values.get(LOADED.get(tag, ""), "")
        if address and not (tag == "link" and values.get("rel") in NAMES_ONLY):
            self.loads.append(address)


def problems(site: Path) -> list[str]:
    """What is wrong with the site, one sentence each; empty if all is well."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    if not pages:
        return [f"{site}: no page. Build the site first: make docs"]
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        if name.name == "404.html":  # its addresses are made for the server's root
            continue
        for address in page.loads:
            if urlsplit(address).scheme in ("http", "https") or address.startswith("//"):
                found.append(f"{name}: loads {address} from the internet")
        for address in [*page.links, *page.loads]:
            found += _fault(address, path, pages, str(name))
    return found


def _fault(address: str, path: Path, pages: dict[Path, Page], name: str) -> list[str]:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return []
    local, anchor = urldefrag(unquote(address))
    target = (path.parent / local.split("?")[0]).resolve() if local else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return [f"{name}: {address} leads nowhere"]
    if anchor and target in pages and anchor not in pages[target].anchors:
        return [f"{name}: {address} has no such anchor"]
    return []


if __name__ == "__main__":
    faults = problems(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
    print("\n".join(faults) or "Every link leads somewhere, and nothing is loaded from the internet.")
    sys.exit(bool(faults))
