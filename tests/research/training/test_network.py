"""Network, export and the runtime that reads the export."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")
torch = pytest.importorskip("torch", reason="needs the extra 'train'")

import onnxruntime  # noqa: E402

from fewshot.checksums import sha256_of  # noqa: E402
from fewshot.embedding.runtime import Embedder, grey_crops  # noqa: E402
from fewshot.errors import FewshotError, ModelUnavailable  # noqa: E402
from fewshot.inference.onnx import Engine  # noqa: E402
from fewshot.research.training.export import (  # noqa: E402
    export_onnx,
    fingerprint,
    keep_half,
    largest_difference,
    load_state,
    save_state,
    stored_fingerprint,
    to_half,
)
from fewshot.research.training.network import ExpressionNetwork, quarter_means  # noqa: E402
from fewshot.research.training.quantise import quantise  # noqa: E402

TINY = "test_efficientnet"


@pytest.fixture(scope="module")
def network() -> ExpressionNetwork:
    torch.manual_seed(0)
    return ExpressionNetwork(TINY, dimension=8, identity_dimension=4).eval()


@pytest.fixture(scope="module")
def exported(network: ExpressionNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the expression vectors; identity.onnx lies beside it."""
    folder = tmp_path_factory.mktemp("export")
    for output in ("expression", "identity"):
        export_onnx(network, folder / f"{output}.onnx", output)
    return folder / "expression.onnx"


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 112, 112), dtype=np.uint8)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Smooth pictures, as faces are: grey, shape (64, 112, 112)."""
    coarse = np.random.default_rng(0).integers(0, 256, (64, 7, 7), dtype=np.uint8)
    return np.stack([cv2.resize(picture, (112, 112), interpolation=cv2.INTER_CUBIC) for picture in coarse])


def test_both_outputs_lie_on_the_unit_sphere(network: ExpressionNetwork) -> None:
    expression, identity = network(torch.rand(3, 1, 112, 112) * 255)
    assert expression.shape == (3, 8) and identity.shape == (3, 4)
    assert torch.allclose(expression.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(identity.norm(dim=1), torch.ones(3), atol=1e-5)


@pytest.mark.parametrize(("side", "first", "last"), [(5, 6.0, 18.0), (4, 2.5, 12.5)])
def test_quarters_cover_a_map_to_its_edges(side: int, first: float, last: float) -> None:
    maps = torch.arange(side * side).float().reshape(1, 1, side, side)
    means = quarter_means(maps)
    assert means.shape == (1, 4)
    # Of five rows the middle one belongs to both halves.
    assert (float(means[0, 0]), float(means[0, 3])) == (first, last)


def test_quarters_stand_behind_the_pooled_features(network: ExpressionNetwork, crops: np.ndarray) -> None:
    wide = ExpressionNetwork(TINY, dimension=8, identity_dimension=4, quarters=[16]).eval()
    same = {name: value for name, value in network.state_dict().items() if "project_expression" not in name}
    wide.load_state_dict(same, strict=False)
    grey = torch.from_numpy(crops).unsqueeze(1).float()
    with torch.inference_mode():
        (features, maps), (pooled, same_maps), alone = wide.features(grey), network.features(grey), wide.pooled(grey)
        assert features.shape[1] > pooled.shape[1] and (features.shape[1] - pooled.shape[1]) % 4 == 0
        torch.testing.assert_close(features[:, : pooled.shape[1]], pooled)
        torch.testing.assert_close(alone, pooled)
        torch.testing.assert_close(maps, same_maps)
        # Half of a face darkened is seen by its quarters more than by the other two.
        dark = grey.clone()
        dark[:, :, :, :56] = 0
        moved = (
            (wide.features(dark)[0] - features)[:, pooled.shape[1] :].reshape(len(grey), -1, 2, 2).abs().mean((0, 1))
        )
    assert (moved[:, 0] > moved[:, 1]).all()


def test_quarters_are_exported_and_quantised(faces: np.ndarray, tmp_path: Path) -> None:
    wide = ExpressionNetwork(TINY, dimension=8, identity_dimension=4, quarters=[16]).eval()
    export_onnx(wide, tmp_path / "wide.onnx", "expression")
    assert largest_difference(wide, tmp_path / "wide.onnx", "expression", faces[:5]) < 1e-4
    quantise(tmp_path / "wide.onnx", tmp_path / "small.onnx", faces)
    exact, coarse = (
        Embedder(tmp_path / f"{name}.onnx", engine="onnxruntime").embed_grey(faces) for name in ("wide", "small")
    )
    assert (exact * coarse).sum(axis=1).mean() > 0.98


def test_a_new_network_is_in_training_mode_throughout() -> None:
    # Measuring the backbone's width once left it in evaluation mode, and batch norm would never have learned.
    assert all(module.training for module in ExpressionNetwork(TINY, 8, 4).modules())


@pytest.mark.parametrize("output", ["expression", "identity"])
def test_onnx_agrees_with_torch_at_any_batch_size(
    network: ExpressionNetwork, exported: Path, crops: np.ndarray, output: str
) -> None:
    for n in (1, 2, 5):
        assert largest_difference(network, exported.with_name(f"{output}.onnx"), output, crops[:n]) < 1e-4


def test_weights_that_are_nearly_0_are_halved_without_a_line(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    weight = onnx.numpy_helper.from_array(np.array([1e-9, -1e-9, 1], np.float32), "w")
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [3]) for name in ("x", "y")]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Mul", ["x", "w"], ["y"])], "g", value[:1], value[1:], [weight]
    )
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "a.onnx"))
    to_half(tmp_path / "a.onnx", tmp_path / "b.onnx")
    assert [str(said.message) for said in recwarn if "truncated" in str(said.message)] == []


def test_the_files_hold_no_trace_of_the_machine_they_were_made_on(exported: Path) -> None:
    for path in exported.parent.iterdir():
        assert b"Traceback" not in path.read_bytes() and b".py" not in path.read_bytes()


def test_the_half_precision_copy_is_smaller_and_close(
    network: ExpressionNetwork, exported: Path, crops: np.ndarray, tmp_path: Path
) -> None:
    half = tmp_path / "half.onnx"
    to_half(exported, half)
    assert half.stat().st_size < 0.8 * exported.stat().st_size
    assert largest_difference(network, half, "expression", crops) < 2e-2


def test_weights_survive_the_way_to_disk(network: ExpressionNetwork, tmp_path: Path) -> None:
    heads = {"votes.weight": torch.rand(8, 8)}
    save_state(network, heads, tmp_path / "w.safetensors")
    again, again_heads = load_state(tmp_path / "w.safetensors")
    assert again.config == network.config
    assert torch.allclose(again_heads["votes.weight"], heads["votes.weight"], atol=1e-3)
    pictures = torch.rand(2, 1, 112, 112) * 255
    assert torch.allclose(again(pictures)[0], network(pictures)[0], atol=2e-2)


def test_a_fingerprint_is_of_the_weights_and_survives_rounding(network: ExpressionNetwork, tmp_path: Path) -> None:
    name = fingerprint(network)
    assert name.startswith(f"{TINY}-")
    save_state(network, {}, tmp_path / "w.safetensors")
    again, _ = load_state(tmp_path / "w.safetensors")
    assert stored_fingerprint(tmp_path / "w.safetensors") == fingerprint(again) == name
    torch.manual_seed(1)
    assert fingerprint(ExpressionNetwork(TINY, dimension=8, identity_dimension=4)) != name


def test_the_runtime_reads_the_export(network: ExpressionNetwork, exported: Path, crops: np.ndarray) -> None:
    embedder = Embedder(exported, engine="onnxruntime")
    assert (embedder.dimension, embedder.identity_dimension) == (8, 4)
    assert embedder.network == fingerprint(network)
    colour = np.repeat(crops[..., None], 3, axis=3)
    for vectors, grey in (
        (embedder.embed(colour), embedder.embed_grey(crops)),
        (embedder.identify(colour), embedder.identify_grey(crops)),
    ):
        assert vectors.dtype == np.float32 and len(vectors) == 5
        np.testing.assert_allclose(vectors, grey, atol=1e-5)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_engines_and_precisions_are_one_network(
    exported: Path, faces: np.ndarray, tmp_path: Path, engine: Engine
) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    to_half(exported, tmp_path / "half.onnx")
    quantise(exported, tmp_path / "bytes.onnx", faces)
    exact = Embedder(exported, engine="onnxruntime")
    for path in (exported, tmp_path / "half.onnx", tmp_path / "bytes.onnx"):
        other = Embedder(path, engine=engine)
        assert other.network == exact.network
        assert (other.embed_grey(faces) * exact.embed_grey(faces)).sum(axis=1).mean() > 0.999


@pytest.mark.parametrize("seven_bits", [True, False])
def test_quantised_weights_fit_the_bits(exported: Path, faces: np.ndarray, tmp_path: Path, seven_bits: bool) -> None:
    path = tmp_path / "bytes.onnx"
    quantise(exported, path, faces, seven_bits)
    assert path.stat().st_size < exported.stat().st_size
    model = onnx.load(str(path))
    arrays = {entry.name: onnx.numpy_helper.to_array(entry) for entry in model.graph.initializer}
    largest = max(int(np.abs(array.astype(int)).max()) for array in arrays.values() if array.dtype == np.int8)
    assert largest == (64 if seven_bits else 127)
    # The first convolution reads the bytes of the crop, nothing rounds them on the way.
    assert not {"Cast", "Sub"} & {node.op_type for node in model.graph.node}


def test_another_beginning_than_the_networks_cannot_be_quantised(faces: np.ndarray, tmp_path: Path) -> None:
    make, kinds = onnx.helper, onnx.TensorProto
    crops = make.make_tensor_value_info("crops", kinds.FLOAT, ["n", 1, 112, 112])
    out = make.make_tensor_value_info("expression", kinds.FLOAT, None)
    kernel = onnx.numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "kernel")
    node = make.make_node("Conv", ["crops", "kernel"], ["expression"])
    path = tmp_path / "plain.onnx"
    onnx.save(make.make_model(make.make_graph([node], "plain", [crops], [out], [kernel])), str(path))
    with pytest.raises(FewshotError, match="expected Cast, Sub, Div"):
        quantise(path, tmp_path / "bytes.onnx", faces)


def test_a_file_without_a_name_is_named_after_its_content(exported: Path, tmp_path: Path) -> None:
    for name in ("expression", "identity"):
        model = onnx.load(str(exported.with_name(f"{name}.onnx")))
        del model.metadata_props[:]
        onnx.save(model, str(tmp_path / f"{name}.onnx"))
    embedder = Embedder(tmp_path / "expression.onnx", engine="onnxruntime")
    assert embedder.network == f"expression-{sha256_of(tmp_path / 'expression.onnx')[:12]}"
    assert embedder.identity_network == f"identity-{sha256_of(tmp_path / 'identity.onnx')[:12]}:identity"


def test_no_crops_give_no_vectors(exported: Path) -> None:
    embedder, none = Embedder(exported, engine="onnxruntime"), np.empty((0, 112, 112, 3), np.uint8)
    assert embedder.embed(none).shape == (0, 8) and embedder.identify(none).shape == (0, 4)


def test_identity_is_opened_when_it_is_asked_for(exported: Path, crops: np.ndarray, tmp_path: Path) -> None:
    alone = tmp_path / "alone.onnx"
    alone.write_bytes(exported.read_bytes())
    embedder = Embedder(alone, engine="onnxruntime")
    assert embedder.embed_grey(crops).shape == (5, 8)
    with pytest.raises(ModelUnavailable, match=r"no .*identity\.onnx that could recognise people"):
        embedder.identify_grey(crops)


def test_identity_may_come_from_another_training_and_bears_its_name(exported: Path, tmp_path: Path) -> None:
    model = onnx.load(str(exported.with_name("identity.onnx")))
    onnx.helper.set_model_props(model, {"network": "another-1"})
    onnx.save(model, str(tmp_path / "identity.onnx"))
    embedder = Embedder(exported, identity=tmp_path / "identity.onnx", engine="onnxruntime")
    assert embedder.identity_network == "another-1:identity" and embedder.network != "another-1"
    assert Embedder(exported, engine="onnxruntime").identity_network == f"{embedder.network}:identity"
    alone = Embedder(exported, identity=tmp_path / "nowhere.onnx", engine="onnxruntime")
    assert alone.identity_network == f"{embedder.network}:identity" and not alone.has_identity


def test_a_file_with_another_output_is_refused(exported: Path) -> None:
    with pytest.raises(ModelUnavailable, match="expected only 'expression'"):
        Embedder(exported.with_name("identity.onnx"))


def test_grey_crops_are_not_taken_for_coloured_ones(crops: np.ndarray) -> None:
    with pytest.raises(ValueError, match="embed_grey"):
        grey_crops(crops)


def test_grey_is_opencvs_weighting_of_bgr() -> None:
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    crop[..., 2] = 200  # red, in OpenCV's order
    assert grey_crops(crop)[0, 0, 0] == 60  # 0.299 * 200


@pytest.mark.parametrize("content", [None, b"", b"not an onnx file"])
def test_a_file_that_is_no_network_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "net.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"net\.onnx"):
        Embedder(path)


def test_weights_kept_in_half_answer_as_before(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "identity.onnx"
    path.write_bytes(exported.with_name("identity.onnx").read_bytes())
    keep_half(path)
    crops = {"crops": np.random.default_rng(0).integers(0, 256, (3, 112, 112), dtype=np.uint8)}
    files = (exported.with_name("identity.onnx"), path)
    whole, half = (onnxruntime.InferenceSession(file).run(["identity"], crops)[0] for file in files)
    np.testing.assert_allclose(half, whole, atol=5e-3)
    assert path.stat().st_size < 0.7 * files[0].stat().st_size
    assert {entry.key for entry in onnx.load(str(path)).metadata_props} >= {"network", "size"}
