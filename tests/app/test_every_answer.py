"""Every kind of answer of the app as it is served tells the browser what it may do: pages, files, uploads, errors."""

from __future__ import annotations

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.runtime import Runtime

from fewshot.app import upload_stream
from tests.app.whole_app import WholeApp, form, raw

RULES = ("default-src 'self'", "object-src 'none'", "base-uri 'self'", "frame-ancestors 'none'")


def is_ruled(told: dict[str, str]) -> bool:
    policy = told.get("content-security-policy", "")
    return (
        all(rule in policy for rule in RULES)
        and told.get("x-content-type-options") == "nosniff"
        and told.get("referrer-policy") == "same-origin"
        and not any(name.startswith("access-control-") for name in told)
    )


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200), ("/live", "GET", 200), ("/_stcore/health", "GET", 200), ("/_stcore/host-config", "GET", 200),
        ("/_stcore/metrics", "GET", 200), ("/media/none.png", "GET", 404), ("/static/none.js", "GET", 200),
        ("/_stcore/none", "GET", 200), ("/component/none/index.html", "GET", 404), ("/share", "GET", 200),
        ("/../../etc/passwd", "GET", 400), ("//evil.example", "GET", 400), ("/", "POST", 405), ("/", "DELETE", 405),
        ("/_stcore/upload_file/a/b", "GET", 200), ("/_stcore/upload_file/a/b", "OPTIONS", 204),
        ("/_stcore/upload_file/a/b", "PUT", 400), ("http://evil.example/", "GET", 403), ("/x", "BREW", 405),
    ],
)  # fmt: skip
def test_pages_files_and_errors(whole_app: WholeApp, path: str, method: str, status: int) -> None:
    found, told, _ = whole_app.ask(raw(), method=method, path=path)
    assert found == status
    if "/component/" in path:
        told["content-security-policy"] = told["content-security-policy"].replace("'self'", "'none'").replace(
            "default-src 'none'", "default-src 'self'").replace("base-uri 'none'", "base-uri 'self'")  # fmt: skip
    assert is_ruled(told)


def test_media_and_uploads(whole_app: WholeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    media = Runtime.instance().media_file_mgr._storage
    number = media.load_and_get_id(b"<script>alert(1)</script>", "text/html", "media")  # type: ignore[arg-type]
    found, told, text = whole_app.ask(raw(), method="GET", path=f"/media/{number}.html")
    assert found == 200 and text.startswith("<script>") and is_ruled(told)
    for sent, status in ((form(10), 204), (raw(b"nonsense"), 400)):
        found, told, _ = whole_app.ask(sent)
        assert found == status and is_ruled(told)
    found, told, _ = whole_app.ask(form(10), x_xsrftoken="wrong")
    assert found == 403 and is_ruled(told)
    found, told, _ = whole_app.ask(form(10), content_length=str(1 << 40))
    assert found == 413 and is_ruled(told)
    found, told, _ = whole_app.ask(raw(), method="DELETE")
    assert found == 204 and is_ruled(told)

    def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(upload_stream._Body, "_begin", broken)
    with pytest.raises(RuntimeError, match="a fault"):  # for the server's log
        whole_app.ask(form(10))
    assert whole_app.last[0]["status"] == 500
    assert is_ruled({bytes(name).decode(): bytes(value).decode() for name, value in whole_app.last[0]["headers"]})
