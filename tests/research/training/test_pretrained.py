"""Starting from another network, balanced classes, frozen blocks, smaller crops; and a run that must learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
timm = pytest.importorskip("timm", reason="needs the extra 'train'")

from hydra import compose, initialize_config_dir  # noqa: E402

from fewshot.embedding.runtime import Embedder, shrunk  # noqa: E402
from fewshot.errors import FewshotError  # noqa: E402
from fewshot.research.training.export import export_onnx, largest_difference  # noqa: E402
from fewshot.research.training.module import LossWeights, ProtoNet  # noqa: E402
from fewshot.research.training.network import ExpressionNetwork  # noqa: E402

CONF = Path(__file__).resolve().parents[3] / "conf"
TINY = "test_efficientnet"


@pytest.fixture
def network() -> ExpressionNetwork:
    torch.manual_seed(0)
    return ExpressionNetwork(TINY, dimension=8, identity_dimension=4, drop_rate=0.0, size=48)


@pytest.fixture
def grey() -> torch.Tensor:
    return torch.rand(16, 1, 48, 48, generator=torch.Generator().manual_seed(0)) * 255


def test_what_an_experiment_says_holds() -> None:
    # With the defaults after it, `pretrained: null` once overrode the experiment's, and training began from nothing.
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose("train", overrides=["experiment=mobilenetv2", "shared=/data"])
    assert cfg.pretrained.path.startswith("/data/models/pretrained/") and cfg.pretrained.folded
    assert (cfg.ema, cfg.trainer.max_epochs, cfg.data.size, cfg.data.resolutions) == (0.998, 14, 80, None)


def test_the_second_half_begins_where_the_first_ended() -> None:
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose("train", overrides=["experiment=shapes", "shared=/data"])
    assert cfg.pretrained is None and cfg.start.endswith("last.ckpt")
    assert cfg.backbone.backbone == "mobilenetv2_100" and cfg.model.losses.shapes == 1.0 and cfg.data.blendshapes
    assert (cfg.trainer.max_epochs, list(cfg.data.resolutions), cfg.model.lr) == (30, [64, 80], 6e-4)


def test_a_grey_picture_is_seen_as_the_colour_network_saw_it(network: ExpressionNetwork, tmp_path: Path) -> None:
    torch.manual_seed(1)
    colour = timm.create_model(TINY, in_chans=3, num_classes=10).eval()
    torch.save(colour.state_dict(), tmp_path / "colour.pth")
    network.start_from(tmp_path / "colour.pth", scale=127.5)
    grey = torch.rand(3, 1, 48, 48) * 255
    with torch.no_grad():
        expected = colour.forward_head(colour.forward_features(((grey - 127.5) / 127.5).repeat(1, 3, 1, 1)), True)
        given, _ = network.eval().features(grey)
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-4)


def test_weights_of_another_network_are_refused(network: ExpressionNetwork, tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(FewshotError, match=rf"it is no {TINY}"):
        network.start_from(tmp_path / "other.pth", scale=127.5)


def test_folded_norms_get_their_statistics_back(network: ExpressionNetwork, grey: torch.Tensor) -> None:
    generator = torch.Generator().manual_seed(2)
    for module in network.backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after folding: all the scale is in the convolution before
            module.bias.data.copy_(torch.randn(module.bias.shape, generator=generator))
        elif isinstance(module, torch.nn.Conv2d):
            module.weight.data.mul_(3.0)
    before = network.eval().expression(grey).detach()
    network.train().unfold_batch_norm(grey)
    assert network.training
    torch.testing.assert_close(network.eval().expression(grey), before, rtol=1e-3, atol=1e-3)
    # And training's own normalisation, over these pictures, is now the same network too.
    torch.testing.assert_close(network.train().expression(grey), before, rtol=1e-2, atol=1e-2)


def test_frozen_blocks_stay(network: ExpressionNetwork, grey: torch.Tensor) -> None:
    module = ProtoNet(network, LossWeights(identity=0.0), frozen_blocks=2)
    module.log = lambda *arguments, **options: None
    frozen = [part.weight.clone() for part in (network.backbone.conv_stem, network.backbone.bn1)]
    running, late = network.backbone.bn1.running_mean.clone(), network.project_expression.weight.clone()
    module.train()
    optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.1)
    module.training_step(batch_of(grey, torch.arange(16) % 7), 0).backward()
    optimizer.step()
    for part, was in zip((network.backbone.conv_stem, network.backbone.bn1), frozen, strict=True):
        assert torch.equal(part.weight, was)
    assert not torch.equal(network.backbone.bn1.running_mean, running)
    assert not torch.equal(network.project_expression.weight, late)


def test_balanced_classes_take_the_frequencies_out_of_the_class_vectors(grey: torch.Tensor) -> None:
    """Pictures that say nothing: a plain network learns to guess the frequent class, a balanced one guesses none."""
    gaps = []
    for balance in (0.0, 1.0):
        torch.manual_seed(0)
        module = ProtoNet(ExpressionNetwork(TINY, 8, 4, 0.0, 48), LossWeights(0.0, 1.0, 0.0, 0.0), label_smoothing=0.0)
        module.log = lambda *arguments, **options: None
        labels = torch.tensor([3] * 12 + [0] * 4)
        if balance:
            shares = torch.full((7,), 1e-4).index_put((torch.tensor([3, 0]),), torch.tensor([0.75, 0.25]))
            module.labels_prior.copy_(shares.log())
        same = batch_of(torch.full_like(grey, 100.0), labels)
        optimizer = torch.optim.Adam(module.labels.parameters(), lr=0.05)
        for _ in range(150):
            optimizer.zero_grad()
            module.training_step(same, 0).backward()
            optimizer.step()
        with torch.no_grad():
            logits = module.labels(module.network.expression(same["grey"]))[0]
        gaps.append(float(logits[3] - logits[0]))
    assert gaps[0] == pytest.approx(np.log(3), abs=0.1)
    assert gaps[1] == pytest.approx(0.0, abs=0.1)


def test_a_small_network_is_given_smaller_crops(network: ExpressionNetwork, tmp_path: Path) -> None:
    for output in ("expression", "identity"):
        export_onnx(network.eval(), tmp_path / f"{output}.onnx", output)
    crops = np.random.default_rng(0).integers(0, 256, (3, 112, 112), dtype=np.uint8)
    small = shrunk(crops, 48)
    assert small.shape == (3, 48, 48) and shrunk(crops, 112) is crops
    np.testing.assert_array_equal(shrunk(crops[1], 48), small[1])
    assert largest_difference(network, tmp_path / "expression.onnx", "expression", small) < 1e-4
    embedder = Embedder(tmp_path / "expression.onnx", engine="onnxruntime")
    with torch.inference_mode():
        direct, who = network(torch.from_numpy(small).unsqueeze(1).float())
    np.testing.assert_allclose(embedder.embed_grey(crops), direct, atol=1e-4)
    np.testing.assert_allclose(embedder.identify_grey(crops), who, atol=1e-4)


def test_identity_can_be_read_from_an_earlier_map() -> None:
    layers = [[16, 2], [8, 1]]
    network = ExpressionNetwork(TINY, 8, 4, size=48, identity_stride=4, identity_layers=layers).eval()
    assert network.identity_head.project.in_features == 8 * 6 * 6
    assert network(torch.zeros(2, 1, 48, 48))[1].shape == (2, 4)
    assert ExpressionNetwork(**network.config).config == network.config


def test_a_short_run_learns_a_toy_problem() -> None:
    """Where the bright bar lies tells the class: after some seconds the nearest class vector must know it."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)

    def pictures(n: int) -> tuple[torch.Tensor, torch.Tensor]:
        labels = rng.integers(0, 7, n)
        grey = rng.normal(100, 20, (n, 1, 48, 48)).astype(np.float32)
        for picture, label in zip(grey, labels, strict=True):
            picture[0, 6 * label : 6 * label + 6] += 90
        return torch.from_numpy(grey), torch.from_numpy(labels)

    module = ProtoNet(ExpressionNetwork(TINY, 16, 4, 0.0, 48), LossWeights(identity=0.0))
    module.log = lambda *arguments, **options: None
    optimizer = torch.optim.AdamW(module.parameters(), lr=5e-3)
    module.train()
    for _ in range(60):
        optimizer.zero_grad()
        module.training_step(batch_of(*pictures(64)), 0).backward()
        optimizer.step()
    grey, labels = pictures(140)
    with torch.no_grad():
        right = module.eval().votes(module.network.expression(grey)).argmax(1) == labels
    assert float(right.float().mean()) > 0.9


def batch_of(grey: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the DataLoader gives, for pictures (n, 1, h, w) of sure labels (n,)."""
    n = len(labels)
    return {
        "grey": grey,
        "label": labels,
        "votes": torch.nn.functional.one_hot(labels, 8).float(),
        "has_votes": torch.ones(n),
        "published": labels,
        "identity": torch.zeros(n, 4),
        "has_identity": torch.zeros(n),
    }
