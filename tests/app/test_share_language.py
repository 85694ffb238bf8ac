"""The separate page that shares a window, and its field: their words come from the server, in the reader's language."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from made_language import CODE, left, speak_it
from starlette.applications import Starlette
from starlette.testclient import TestClient

from fewshot.app.sharing.pages import routes
from fewshot.app.sharing.words import REST, STATES
from fewshot.database.owner import LOCAL_TEACHER

ASSETS = files("fewshot.app") / "assets"


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes(lambda _scope: LOCAL_TEACHER)))


@pytest.mark.parametrize(
    ("address", "accepted", "translated"),
    [
        ("/share/", "", False),
        ("/share/", "en-GB, de;q=0.5", False),
        ("/share/", "de-AT, en;q=0.5", True),
        (f"/share/?ticket=x&language={CODE}", "en", True),
        ("/share/?ticket=x&language=en", "de", False),
        ("/share/?language=%3Cscript%3E", "en", False),
    ],
)
def test_the_page_is_in_the_language_of_its_link_or_of_the_browser(
    address: str, accepted: str, translated: bool, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak_it(monkeypatch)
    page = client.get(address, headers={"accept-language": accepted})
    assert page.status_code == 200 and page.headers["cache-control"] == "no-cache"
    assert f'<html lang="{CODE if translated else "en"}">' in page.text and "<script>" not in page.text
    (given,) = re.findall(r'<script type="application/json" id="words">(.*?)</script>', page.text, re.DOTALL)
    words = json.loads(given)
    assert set(words) == {*STATES, *REST} and "$" not in page.text
    english = {**STATES, **REST}
    assert words == ({name: f"⟦{text}⟧" for name, text in english.items()} if translated else english)
    seen = page.text.replace(given, "").split("</style>")[1]
    assert (left(seen) == "") == translated


def test_every_state_of_the_scripts_has_a_sentence() -> None:
    script = (ASSETS / "share.js").read_text(encoding="utf-8")
    worker = (ASSETS / "share_worker.js").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if re.search(r"\bbecome\(|\breturn\b|\bwhy:", line)]
    lines += [line for line in worker.splitlines() if re.search(r"\bWHY\b", line)]
    states = {word for line in lines for word in re.findall(r'"(\w+)"', line)} - {"closed", "drawn"}
    assert {"refused", "failed", "insecure", "covered", "over", "unfit"} <= states <= set(STATES), states


def test_the_scripts_have_no_sentences_of_their_own() -> None:
    for name in ("share.js", "share_page.js", "share_field.js"):
        code = re.sub(r"//.*", "", (ASSETS / name).read_text(encoding="utf-8"))
        assert not re.findall(r'"[A-Z][a-z]+ [^"]*"', code), name
        used = set(re.findall(r"\b(?:said|words)\.(\w+)", code))
        assert used - {"textContent", "type", "why"} <= set(REST), name
