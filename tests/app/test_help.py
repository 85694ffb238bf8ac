"""Help: the packaged how-to pages, as they stand in the app."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from build_help import PAGES
from streamlit.testing.v1 import AppTest

from fewshot.app.views.help import TOPICS, body
from fewshot.errors import FewshotError


def test_every_packaged_page_is_a_topic_with_its_own_title() -> None:
    assert tuple(TOPICS) == PAGES
    for topic, name in TOPICS.items():
        assert body(topic).lstrip().startswith(f"<h2>{name}</h2>")


@pytest.mark.parametrize("topic", TOPICS)
def test_no_link_loads_the_app_anew(topic: str) -> None:
    text = body(topic)
    links = re.findall(r"<a [^>]*>", text)
    assert all('target="_blank"' in link and 'href="https://' in link for link in links)
    assert "<h1>" not in text and "<main>" not in text


def test_a_page_that_is_missing_is_said() -> None:
    with pytest.raises(FewshotError, match="missing from this installation"):
        body("no-such-page")


def test_the_page_shows_the_topic_that_is_chosen() -> None:
    script = "from fewshot.app.views.help import page\npage()\n"
    test = AppTest.from_string(script, default_timeout=60).run()
    assert "Which photos help most" in shown(test)
    test.button_group[0].set_value("read-a-report").run()
    assert "What a report is not" in shown(test) and "Which photos help most" not in shown(test)
    assert not test.exception


def shown(test: AppTest) -> str:
    return "\n".join(str(html.proto.body) for html in test.get("html"))
