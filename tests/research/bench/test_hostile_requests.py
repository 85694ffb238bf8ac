"""One teacher asks for what belongs to another one: a sample of experiments/hostile_requests.py."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("websockets", reason="needs the extra app")

from fewshot.classroom.store import ClassStore
from fewshot.database.engine import in_folder
from fewshot.research.bench.hostile import SECRET, make_two, through_stores
from fewshot.research.bench.hostile_attack import attack
from fewshot.research.bench.hostile_service import through_access


def test_two_hundred_requests_read_nothing(tmp_path: Path) -> None:
    tried = attack(tmp_path, 200, seed=1)
    assert sum(one.requests for one in tried.values()) == 200
    assert all(one.requests for one in tried.values()) and not [found for one in tried.values() for found in one.read]


def test_a_store_that_shows_somebody_elses_class_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = in_folder(tmp_path)
    theirs, bert = make_two(database)
    monkeypatch.setattr(ClassStore, "names", lambda _: [f"Class {SECRET}"])
    assert through_stores(database, theirs, bert, 200)["class, store"].read


def test_an_export_of_somebody_elses_student_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = in_folder(tmp_path)
    theirs, bert = make_two(database)
    found = through_access(database, theirs, bert, 30)
    assert not [words for one in found.values() for words in one.read] and found["erasure and receipt, store"].refused
    monkeypatch.setattr("fewshot.research.bench.hostile_service.gather", lambda *_: {"name": f"Student {SECRET}"})
    assert through_access(database, theirs, bert, 30)["export of a student's data, store"].read
