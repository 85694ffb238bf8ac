"""README, documentation and packaged help: short, true where a test can tell, and without a link that leads nowhere."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from build_help import PAGES, TARGET, stale
from check_site import problems

from fewshot.cli import app

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PROJECT = "https://github.com/fewshot-classroom/fewshot-classroom/"
MARKDOWN = [README, ROOT / "CONTRIBUTING.md", ROOT / "experiments/README.md", *sorted(DOCS.rglob("*.md"))]
GUIDES = [
    README,
    *sorted((DOCS / "tutorials").glob("*.md")),
    *sorted((DOCS / "how-to").glob("*.md")),
    *sorted((DOCS / "deploy").glob("*.md")),
]
ON_SCREEN = [DOCS / "tutorials/first-class.md", *(DOCS / f"how-to/{name}.md" for name in PAGES)]
"""Pages for teachers: bold words are what the app shows."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def links(path: Path) -> list[str]:
    """Targets of the links and pictures of a Markdown file, without those in code."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)[^)]*\)", text)


def file_of(target: str, page: Path) -> Path | None:
    """The file of this project that a link leads to; None if it leads elsewhere."""
    target = target.partition("#")[0]
    match = re.match(re.escape(PROJECT) + r"(?:blob|raw|tree)/main/(.+)", target)
    if match:
        return ROOT / match[1]
    if not target or re.match(r"[a-z]+:", target):
        return None
    return page.parent / target


def test_the_readme_has_at_most_600_words() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= 600


def test_links_and_pictures_of_the_readme_are_absolute() -> None:
    """It is shown on a package index too, where nothing lies beside it."""
    assert [target for target in links(README) if not target.startswith("https://")] == []


@pytest.mark.parametrize("page", MARKDOWN, ids=name_of)
def test_links_lead_to_files_of_this_project(page: Path) -> None:
    files = {target: file_of(target, page) for target in links(page)}
    assert [target for target, path in files.items() if path is not None and not path.exists()] == []


def test_the_readme_has_links_to_files() -> None:
    assert any(file_of(target, README) for target in links(README))


def test_the_first_page_of_the_site_is_short() -> None:
    assert 300 <= len((DOCS / "index.md").read_text(encoding="utf-8").split()) <= 600


def test_every_page_is_in_the_navigation_once() -> None:
    def pages(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        return [page for part in (entry.values() if isinstance(entry, dict) else entry) for page in pages(part)]

    nav = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(nav) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def commands(page: Path) -> list[list[str]]:
    """The lines of a page that call fewshot, in words."""
    lines = re.findall(r"^(?: {4})?(?:\S+/)?(fewshot [a-z].*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_commands_and_options_of_the_guides_exist(page: Path) -> None:
    for words in commands(page):
        command, rest = typer.main.get_command(app), words[1:]
        while hasattr(command, "commands"):
            assert rest[0] in command.commands, words
            command = command.commands[rest.pop(0)]
        known = {name for option in command.params for name in [*option.opts, *option.secondary_opts]}
        assert {word for word in rest if word.startswith("--")} <= known, words


def test_the_readme_shows_commands() -> None:
    assert len(commands(README)) >= 5


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_python_in_the_guides_can_be_parsed(page: Path) -> None:
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        ast.parse(code)


@pytest.mark.parametrize("page", ON_SCREEN, ids=name_of)
def test_bold_words_are_on_the_screen(page: Path) -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "fewshot/app").rglob("*.py")))
    strings = [
        node.value
        for node in ast.walk(ast.parse(source.replace("from __future__ import annotations", "")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    bold = re.findall(r"\*\*(.+?)\*\*", page.read_text(encoding="utf-8"))
    assert bold
    assert [words for words in bold if not any(words in string for string in strings)] == []


def test_the_packaged_help_is_up_to_date() -> None:
    assert stale() == [], "Type: python .ci/build_help.py"


def test_the_packaged_help_is_small_and_loads_nothing() -> None:
    pages = sorted(page for page in TARGET.rglob("*") if page.is_file())
    assert {page.suffix for page in pages} == {".html"}
    for folder in {page.parent for page in pages}:
        # A letter of Hindi takes three bytes.
        assert sum(page.stat().st_size for page in folder.glob("*.html")) < 60_000 * (2 if folder.name == "hi" else 1.2)
    assert not any("<script" in page.read_text(encoding="utf-8") for page in pages)
    assert problems(TARGET) == []


def test_the_check_of_the_site_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here">1</a><a href="#gone">2</a><a href="b.html">3</a><a href="https://x.org">4</a>'
        '<img src="none.png"><script src="https://x.org/a.js"></script></p>',
        encoding="utf-8",
    )
    assert problems(tmp_path) == [
        "a.html: loads https://x.org/a.js from the internet",
        "a.html: #gone has no such anchor",
        "a.html: b.html leads nowhere",
        "a.html: none.png leads nowhere",
    ]
    assert problems(tmp_path / "empty")


def test_every_picture_of_the_docs_is_shown_somewhere() -> None:
    pages = [*MARKDOWN, ROOT / "mkdocs.yml", ROOT / "fewshot/app/main.py"]
    shown = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    assert [path.name for path in sorted((DOCS / "images").iterdir()) if path.name not in shown] == []
