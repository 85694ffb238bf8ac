"""Write the catalogues of the translations anew from the code; translations that are there stay.

    python .ci/translations.py           # messages.pot, and what is new or gone in each language
    python .ci/translations.py --check   # fails if that would change a file, or if a translation does not fit

Needs Babel (the extra app).
"""

from __future__ import annotations

import ast
import logging
import sys
from collections.abc import Iterator
from gettext import c2py
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from fewshot.translation import ENGLISH, LANGUAGES
from fewshot.translation.catalogue import misfits

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "fewshot/translation/catalogues"
KEYWORDS = {"tr": 1, "tr_n": 2, "later": 1, "later_n": 2}
"""Function -> how many of its arguments are messages."""
PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "hi": "nplurals=2; plural=(n > 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
}
"""The rules of gettext's manual. Babel's own have a third form for millions, in some versions."""
KEPT_HEADERS = ("Language:", "MIME-Version:", "Content-Type:", "Content-Transfer-Encoding:", "Plural-Forms:")
"""The others say when and by whom a file was written, so it would never be twice the same."""


def template(root: Path = ROOT) -> Catalog:
    """Every message of the package, without the lines: they would change with every edit."""
    found = Catalog(header_comment="# Made by .ci/translations.py from the code.", fuzzy=False)
    for path in sorted((root / "fewshot").rglob("*.py")):
        where = path.relative_to(root).as_posix()
        for message in messages_of(ast.parse(path.read_text(encoding="utf-8"))):
            found.add(message, locations=[(where, 0)])
    return found


def messages_of(tree: ast.AST) -> Iterator[str | tuple[str, str]]:
    """The messages of a module in their order: a pair for one that counts.

    Babel's own extractor passes over calls inside an f-string, on Python 3.11.
    """
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        wanted = KEYWORDS.get(call.func.id, 0)
        texts = [node.value for node in call.args[:wanted] if isinstance(node, ast.Constant)]
        if wanted and len(texts) == wanted:
            yield texts[0] if wanted == 1 else (texts[0], texts[1])


def merged(language: str, new: Catalog, path: Path) -> Catalog:
    """The catalogue of a language with all messages of the template and no others."""
    known = {}
    if path.exists():
        with path.open("rb") as file:
            known = {message.id: message for message in read_po(file, locale=language)}
    found = Catalog(locale=language, header_comment="# The code is the source: .ci/translations.py.", fuzzy=False)
    found.mime_headers = [("Plural-Forms", PLURALS[language])]
    for message in new:
        if message.id:
            before = known.get(message.id)
            flags = {"fuzzy"} if before is not None and before.fuzzy else set()
            comments = before.user_comments if before is not None else ()
            string = before.string if before is not None else None
            found.add(message.id, string, message.locations, flags=flags, user_comments=comments)
    return found


def written(catalogue: Catalog) -> bytes:
    """The bytes of a catalogue: the same on every computer and every day."""
    file = BytesIO()
    write_po(file, catalogue, width=110, include_lineno=False)
    lines, header = [], True
    for line in file.getvalue().decode("utf-8").splitlines():
        header = header and bool(line)  # it ends with the first empty line
        if header and line.startswith('"') and not line.startswith(tuple(f'"{name}' for name in KEPT_HEADERS)):
            continue
        lines.append(line)
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8")


def wrong(language: str, catalogue: Catalog) -> Iterator[str]:
    """The translations that would not be shown, because their placeholders differ from the English ones."""
    form = c2py(catalogue.plural_expr)
    for message in catalogue:
        if message.id and misfits(message, form(0) == form(1)):
            yield f"{language}: the placeholders differ in {message.string!r}, the translation of {message.id!r}"
        if message.pluralizable and any(message.string) and not all(message.string):
            yield f"{language}: a form is missing of {message.id!r}"


def main(check: bool) -> int:
    """Write or check all files; the exit status."""
    new = template()
    contents, faults = {FOLDER / "messages.pot": written(new)}, []
    for language in LANGUAGES:
        if language != ENGLISH:
            path = FOLDER / f"{language}.po"
            catalogue = merged(language, new, path)
            faults += wrong(language, catalogue)
            contents[path] = written(catalogue)
    for path, data in contents.items():
        if not path.exists() or path.read_bytes() != data:
            if check:
                faults.append(f"{path.name} is out of date. Run: python .ci/translations.py")
            else:
                path.write_bytes(data)
                print(f"wrote {path.relative_to(ROOT)}")
    for fault in faults:
        logging.error("%s", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
