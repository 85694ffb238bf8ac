"""What pages say of the place of pictures and data is true here and on a server."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.app import server
from fewshot.app.guard import Policy
from fewshot.app.views import live_setup, start
from fewshot.classroom.places import computer, where_pictures_go
from fewshot.database.owner import LOCAL_TEACHER

VIEWS = Path(start.__file__).parent
NAME = "class.example.org"


def texts(path: Path) -> list[str]:
    """The texts of a file that users may see: all but docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


@pytest.mark.parametrize("path", sorted(VIEWS.glob("*.py")), ids=lambda path: path.stem)
def test_no_page_names_a_computer_by_itself(path: Path) -> None:
    """Whoever reads "this computer" in a browser takes it for their own."""
    assert [text for text in texts(path) if "this computer" in text.lower() or "your computer" in text.lower()] == []


def test_the_texts_of_a_page_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text('"""This computer."""\ndef f(x):\n    """This computer."""\n    return f"on this computer {x}"\n')
    assert texts(page) == ["on this computer "]


def test_the_app_knows_under_which_name_others_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_built", [])
    assert server.place() == ""
    monkeypatch.setattr(server, "_built", [Policy(frozenset()), Policy(frozenset(), place=NAME)])
    assert server.place() == NAME


def test_alone_nothing_leaves_and_on_a_server_everything_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "stay on this computer" in start.lead("") and "on this computer only." in start.lead("")
    assert "leave this computer" in start.lead(NAME) and "stay" not in start.lead(NAME)
    assert start.lead(NAME).count(NAME) == 2 == where_pictures_go(NAME).count(NAME) + computer(NAME).count(NAME)
    monkeypatch.setattr(server, "_built", [])
    assert live_setup._called(live_setup.SCREEN) == "This computer's screen"
    monkeypatch.setattr(server, "_built", [Policy(frozenset(), place=NAME)])
    assert live_setup._called(live_setup.SCREEN) == f"The screen of {NAME}"


def test_on_a_server_nobody_watches_its_screen_or_opens_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.app.test_live_page import page, words

    def shown() -> str:
        test = page("live")
        (kind,) = [one for one in test.button_group if one.label == "What to watch"]
        kind.set_value(live_setup.FILE).run()
        return words(test) + " ".join(field.label for field in test.text_input) + str(kind.options)

    assert "or a file on this computer" in shown() and "screen" in shown()
    monkeypatch.setattr(live_setup.server, "desk", object)
    monkeypatch.setattr(live_setup, "visitor", lambda: LOCAL_TEACHER)
    assert "or a file on" not in shown() and "screen" not in shown()
