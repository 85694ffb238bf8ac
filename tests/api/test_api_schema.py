"""Requests that nobody meant, made from the OpenAPI description: the service never fails, and keeps its word."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.served import Running  # isort: skip

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewshot.api.rates import Rates
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.session.lessons import LessonStore

NUMBERS = st.one_of(st.integers(-3, 4), st.sampled_from([2**31, 2**63 - 1, 2**63, -(2**63), 10**30]))
TEXT = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "\x00", "../x", "asha", "physics", "happy", "\u202e", "a" * 600, "null", "1e999", "ß", "'--"]),
    st.text(alphabet=string.printable, max_size=300),
)
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
BYTES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"RIFF\0\0\0\0WEBP", b"GIF89a"]
    ),
)


@pytest.fixture
def api(served: Running) -> Any:
    """A caller who may do everything, with a class and a lesson to do it to."""
    served.service.rates = Rates("100000 per minute", "100000 per minute", "100000 per minute")
    store = ClassStore()
    store.create("physics")
    store.record_consent("physics", "asha", make_consent("her mother"))
    LessonStore().create("physics", title="x", students=["asha"])
    return served.caller()


def operations(api: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, description) of everything that the service can be asked."""
    paths = api.get("/openapi.json")["paths"]
    found = [(method.upper(), path, said) for path, methods in paths.items() for method, said in methods.items()]
    assert len(found) > 18
    return found


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that mostly fit a schema of a parameter or a field."""
    schema = next((each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"), schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | TEXT
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "integer": NUMBERS, "number": st.floats(allow_nan=False) | NUMBERS, "boolean": st.booleans(),
        "array": st.lists(TEXT, max_size=3),
    }  # fmt: skip
    return st.one_of(kinds.get(schema.get("type", ""), TEXT), kinds.get(schema.get("type", ""), TEXT), TEXT)


def request_of(draw: Callable[..., Any], said: dict[str, Any], path: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """The arguments of one request."""
    from urllib.parse import quote

    query: dict[str, Any] = {}
    for parameter in said.get("parameters", ()):
        value = draw(values(parameter["schema"]))
        if parameter["in"] == "path":
            path = path.replace(
                f"{{{parameter['name']}}}", quote(str(value).encode("utf-8", "replace"), safe="") or "x"
            )
        elif draw(st.booleans()):
            query[parameter["name"]] = str(value).encode("utf-8", "replace")
    made: dict[str, Any] = {"path": path, "params": query}
    kinds = said.get("requestBody", {}).get("content", {})
    if "application/json" in kinds:
        known = schemas[kinds["application/json"]["schema"]["$ref"].rpartition("/")[2]]["properties"]
        fits = st.fixed_dictionaries({name: values(field) for name, field in known.items()})
        made["json"] = draw(
            st.one_of(fits, fits, ANY).filter(lambda each: "nan" not in repr(each) and "inf" not in repr(each))
        )
    elif kinds:
        known = schemas[kinds["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]]["properties"]
        files = [(name, draw(BYTES)) for name in known if name in ("photos", "picture")]
        made["files"] = [(name, ("x", data)) for name, data in files]
        fields = {name: draw(values(field)) for name, field in known.items() if name not in ("photos", "picture")}
        made["data"] = {
            name: [str(each).encode("utf-8", "replace") for each in (value if isinstance(value, list) else [value])]
            for name, value in fields.items()
            if draw(st.booleans())
        }
    return made


def test_no_request_makes_the_service_fail(api: Any) -> None:
    schemas = api.get("/openapi.json")["components"]["schemas"]
    everything = operations(api)
    seen: set[tuple[str, str, int]] = set()

    @settings(
        max_examples=250, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(data=st.data())
    def ask(data: Any) -> None:
        method, path, said = data.draw(st.sampled_from(everything))
        made = request_of(data.draw, said, path, schemas)
        address = made.pop("path")
        answer = api(method, address, **made)
        seen.add((method, path, answer.status_code))
        assert answer.status_code < 500, (method, path, answer.text)
        assert str(answer.status_code) in said["responses"] or answer.status_code == 404, (method, path, answer.text)
        if answer.status_code >= 400 and "%0A" not in address:  # no path with a line feed reaches a mounted application
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert set(answer.json()) >= {"type", "title", "status", "detail"}

    ask()
    assert {status for _, _, status in seen} >= {200, 404, 422}
    assert len({path for _, path, _ in seen}) > 10
    assert api.get("/health") == {"status": "ok"}
