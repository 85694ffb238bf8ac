"""The script that writes the catalogues: it keeps translations, and finds what is out of date or does not fit."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytest.importorskip("babel", reason="needs the extra app")

import translations
from babel.messages.pofile import read_po

from fewshot.translation import ENGLISH, LANGUAGES

CODE = """
from fewshot.translation import later, tr, tr_n
TITLE = later("A title")
text = tr("Hello {student}", student=f"{tr('you')}!") + tr_n("{number} face", "{number} faces", 3)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package with its catalogues."""
    folder = tmp_path / "fewshot/translation/catalogues"
    folder.mkdir(parents=True)
    (tmp_path / "fewshot/code.py").write_text(CODE, encoding="utf-8")
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    monkeypatch.setattr(translations, "FOLDER", folder)
    monkeypatch.setattr(translations.template, "__defaults__", (tmp_path,))
    return tmp_path


def messages(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {
            message.id if isinstance(message.id, str) else message.id[0]: message.string
            for message in read_po(file)
            if message.id
        }


def test_the_catalogues_of_the_project_are_up_to_date_and_fit() -> None:
    assert translations.main(check=True) == 0


def test_all_messages_are_found_also_in_one_another(project: Path) -> None:
    assert translations.main(check=True) == 1
    assert translations.main(check=False) == 0
    for name in ("messages.pot", *(f"{language}.po" for language in LANGUAGES if language != ENGLISH)):
        found = messages(translations.FOLDER / name)
        assert list(found) == ["A title", "Hello {student}", "you", "{number} face"]
        assert not any(text for text in found.values() if isinstance(text, str))
    assert translations.main(check=True) == 0


def test_a_translation_stays_when_the_code_changes(project: Path) -> None:
    translations.main(check=False)
    path = translations.FOLDER / "de.po"
    path.write_text(path.read_text("utf-8").replace('"you"\nmsgstr ""', '"you"\nmsgstr "du"'), encoding="utf-8")
    assert translations.main(check=True) == 0
    code = project / "fewshot/code.py"
    code.write_text(CODE.replace("A title", "Another title"), encoding="utf-8")
    assert translations.main(check=True) == 1
    assert translations.main(check=False) == 0
    found = messages(path)
    assert found["you"] == "du" and "Another title" in found and "A title" not in found


def test_a_translation_with_another_placeholder_is_named(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    translations.main(check=False)
    path = translations.FOLDER / "hi.po"
    before = path.read_text("utf-8")
    path.write_text(before.replace('{student}"\nmsgstr ""', '{student}"\nmsgstr "नमस्ते {name}"'), encoding="utf-8")
    assert translations.main(check=True) == 1
    assert "hi: the placeholders differ" in caplog.text


def test_a_file_says_nothing_of_the_day_or_the_computer(project: Path) -> None:
    translations.main(check=False)
    text = (translations.FOLDER / "fr.po").read_text("utf-8")
    assert not [word for word in ("Date", "Generated", "Translator", str(project)) if word in text]


def test_no_message_of_the_code_is_put_together_before_it_is_looked_up() -> None:
    """An f-string, or a sum of strings, is no key of a catalogue."""
    wrong = []
    for path in sorted((Path(__file__).parents[2] / "fewshot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            keys = node.args[:2] if node.func.id in ("tr_n", "later_n") else node.args[:1]
            if node.func.id in translations.KEYWORDS and any(
                isinstance(key, ast.JoinedStr | ast.BinOp) for key in keys
            ):
                wrong.append(f"{path.name}, line {node.lineno}")
    assert wrong == []
