"""Engines: which one is chosen, and that all of them run a network alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from fewshot.errors import ModelUnavailable, UsageError
from fewshot.inference import engines
from fewshot.inference import onnx as door
from fewshot.inference.onnx import Choice, Port, Session, choose_engine, open_session

onnx = pytest.importorskip("onnx", reason="makes networks; needs the extra 'train'")

ENGINES = ["onnxruntime", "openvino"]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEWSHOT_ENGINE", raising=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows (n, 4) to their doubles (n, 4) and their sums (n, 1)."""
    make = onnx.helper
    rows, doubles, sums = (
        make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", width])
        for name, width in (("rows", 4), ("doubles", 4), ("sums", 1))
    )
    nodes = [make.make_node("Add", ["rows", "rows"], ["doubles"]), make.make_node("MatMul", ["rows", "ones"], ["sums"])]
    ones = onnx.numpy_helper.from_array(np.ones((4, 1), np.float32), "ones")
    graph = make.make_graph(nodes, "tiny", [rows], [doubles, sums], [ones])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, {"network": "tiny-1"})
    path = tmp_path_factory.mktemp("networks") / "tiny.onnx"
    onnx.save(model, str(path))
    return path


@pytest.fixture(params=ENGINES)
def session(request: pytest.FixtureRequest, network: Path) -> Session:
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    return open_session(network, threads=1, engine=request.param)


def rows(n: int, start: float = 0.0) -> np.ndarray:
    return np.arange(start, start + 4 * n, dtype=np.float32).reshape(n, 4)


def test_a_session_says_what_it_is(session: Session) -> None:
    assert session.engine.split()[0] in ENGINES
    assert session.properties["network"] == "tiny-1"
    assert [port.name for port in session.get_inputs()] == ["rows"]
    assert [port.name for port in session.get_outputs()] == ["doubles", "sums"]
    assert session.get_outputs()[1].shape[1] == 1
    assert isinstance(session.get_outputs()[0], Port) and session.get_outputs()[0].shape[0] in (None, "n")


@pytest.mark.parametrize("sizes", [(1,), (1, 5, 3, 5, 49, 48)])
def test_any_number_of_rows_in_any_order(session: Session, sizes: tuple[int, ...]) -> None:
    for n in sizes:
        doubles, sums = session.run(None, {"rows": rows(n)})
        np.testing.assert_array_equal(doubles, 2 * rows(n))
        np.testing.assert_allclose(sums, rows(n).sum(axis=1, keepdims=True))


def test_outputs_are_chosen_by_name_and_come_in_that_order(session: Session) -> None:
    (sums,) = session.run(["sums"], {"rows": rows(2)})
    assert sums.shape == (2, 1)
    swapped = session.run(["sums", "doubles"], {"rows": rows(2)})
    assert [array.shape for array in swapped] == [(2, 1), (2, 4)]


def test_a_result_stays_what_it_was_when_the_network_runs_again(session: Session) -> None:
    first = session.run(["doubles"], {"rows": rows(3)})[0]
    session.run(["doubles"], {"rows": rows(3, start=100)})
    np.testing.assert_array_equal(first, 2 * rows(3))


def test_a_view_into_a_larger_array_is_read_as_it_looks(session: Session) -> None:
    wide = np.arange(40, dtype=np.float32).reshape(5, 8)
    np.testing.assert_array_equal(session.run(["doubles"], {"rows": wide[::2, 2:6]})[0], 2 * wide[::2, 2:6])


def test_two_threads_get_their_own_results(session: Session) -> None:
    wrong: list[int] = []

    def ask(number: int) -> None:
        for n in (1, 7, 49, 3) * 10:
            given = rows(n, start=1000.0 * number)
            if not np.array_equal(session.run(["doubles"], {"rows": given})[0], 2 * given):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_only_calls_at_the_same_time_make_copies_of_a_network(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    session, made = open_session(network, threads=1, engine="openvino"), []
    assert isinstance(session, engines.OpenVinoSession)
    compiled = session._compile
    monkeypatch.setattr(session, "_compile", lambda: made.append(1) or compiled())
    for number in range(6):  # six threads, one after the other
        thread = threading.Thread(target=session.run, args=(None, {"rows": rows(number + 1)}))
        thread.start()
        thread.join()
    assert made == []
    with ExitStack() as busy:
        copies = {id(busy.enter_context(session._copy())) for _ in range(engines._MOST_COPIES)}
        assert len(copies) == engines._MOST_COPIES and len(made) == engines._MOST_COPIES - 1
        late: list[np.ndarray] = []
        waiting = threading.Thread(target=lambda: late.extend(session.run(["doubles"], {"rows": rows(2)})))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive() and not late
    waiting.join(10)
    np.testing.assert_array_equal(late[0], 2 * rows(2))
    assert len(made) == engines._MOST_COPIES - 1


def test_a_copy_that_cannot_be_made_blocks_nobody(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    session = open_session(network, threads=1, engine="openvino")
    assert isinstance(session, engines.OpenVinoSession)

    def fail() -> None:
        raise RuntimeError("out of memory")

    with session._copy():
        with monkeypatch.context() as broken:
            broken.setattr(session, "_compile", fail)
            for _ in range(2 * engines._MOST_COPIES):
                with pytest.raises(RuntimeError, match="out of memory"):
                    session.run(None, {"rows": rows(1)})
        assert len(session.run(None, {"rows": rows(1)})) == 2
    assert len(session.run(None, {"rows": rows(1)})) == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("content", [None, b"", b"not an onnx file"])
def test_a_file_that_is_no_network_is_named(tmp_path: Path, engine: door.Engine, content: bytes | None) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    path = tmp_path / "broken.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"broken\.onnx"):
        open_session(path, engine=engine)


def test_where_nothing_can_be_kept_a_network_still_opens(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    (tmp_path / "file").touch()
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "file"))
    assert open_session(network, engine="openvino").run(["sums"], {"rows": rows(1)})[0] == 6


def has_openvino(answer: bool) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(door, "_has_openvino", lambda: answer)


def on(machine: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr("platform.machine", lambda: machine)


def environment(engine: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setenv("FEWSHOT_ENGINE", engine)


@pytest.mark.parametrize(
    ("wanted", "world", "engine", "why"),
    [
        ("auto", [has_openvino(False)], "onnxruntime", "not installed"),
        ("auto", [has_openvino(True), on("x86_64")], "openvino", "fastest"),
        ("auto", [has_openvino(True), on("AMD64")], "openvino", "fastest"),
        ("auto", [has_openvino(True), on("arm64")], "onnxruntime", "arm64"),
        ("auto", [has_openvino(True), on("x86_64"), environment("onnxruntime")], "onnxruntime", "FEWSHOT_ENGINE"),
        ("auto", [has_openvino(True), on("arm64"), environment(" OpenVINO ")], "openvino", "FEWSHOT_ENGINE"),
        ("auto", [has_openvino(False), environment("")], "onnxruntime", "not installed"),
        ("onnxruntime", [has_openvino(True), environment("openvino")], "onnxruntime", "requested"),
    ],
)
def test_who_decides(
    wanted: door.Engine,
    world: list[Callable[[pytest.MonkeyPatch], None]],
    engine: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for change in world:
        change(monkeypatch)
    choice = choose_engine(wanted)
    assert isinstance(choice, Choice) and choice.engine == engine and why in choice.why


def test_an_engine_nobody_knows_is_refused_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"tensorrt.*onnxruntime"):
        choose_engine("tensorrt")  # type: ignore[arg-type]
    monkeypatch.setenv("FEWSHOT_ENGINE", "abacus")
    with pytest.raises(UsageError, match="abacus"):
        choose_engine()


@pytest.mark.parametrize(("engine", "needs"), [("cuda", "NVIDIA"), ("coreml", "Mac")])
def test_an_engine_that_is_not_here_says_what_it_needs(
    network: Path, engine: door.Engine, needs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelUnavailable, match=needs):
        open_session(network, engine=engine)


def test_openvino_asked_for_by_name_is_not_replaced(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has_openvino(False)(monkeypatch)
    with pytest.raises(ModelUnavailable, match="pip install"):
        open_session(network, engine="openvino")


def test_a_provider_that_does_not_start_is_no_silent_cpu(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A library built for NVIDIA falls back to the CPU by itself when the driver is missing.
    monkeypatch.setattr(
        "onnxruntime.get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    with pytest.raises(ModelUnavailable, match=r"cuda .*NVIDIA"):
        open_session(network, engine="cuda")


@pytest.mark.parametrize(("capabilities", "precision"), [(["FP32"], "f32"), (["BF16", "FP32", "INT8"], "bf16")])
def test_bf16_only_where_the_processor_has_it(
    capabilities: list[str], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Core:
        def get_property(self, device: str, name: str) -> list[str]:
            return capabilities

    monkeypatch.setattr(door, "openvino_core", Core)
    assert door.fastest_precision() == precision


def test_boxes_are_never_found_in_bf16(network: Path) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    assert open_session(network, engine="openvino").engine == "openvino f32"


def test_a_cache_that_cannot_be_used_does_not_look_like_a_broken_network(tmp_path: Path) -> None:
    """The compiled networks of OpenVINO; everything else that fails is an error."""
    asked = []

    class Core:
        def compile_model(self, model: object, device: str, settings: dict[str, object]) -> str:
            asked.append(settings["CACHE_DIR"])
            if settings["CACHE_DIR"]:
                raise RuntimeError("the cache is full")
            return "compiled"

    assert engines._compiled(Core(), None, {"CACHE_DIR": str(tmp_path / "cache")}) == "compiled"
    assert asked == [str(tmp_path / "cache"), ""]
