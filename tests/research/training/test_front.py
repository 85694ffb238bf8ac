"""Last blocks trained on the maps of frozen first ones: the same network, and only its last blocks change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
pytest.importorskip("onnx", reason="needs the extra 'train'")

from torch import Tensor  # noqa: E402

from fewshot.errors import UsageError  # noqa: E402
from fewshot.research.training.augment import Augmentation  # noqa: E402
from fewshot.research.training.datamodule import FaceCrops  # noqa: E402
from fewshot.research.training.face_table import FaceTable  # noqa: E402
from fewshot.research.training.front import Front  # noqa: E402
from fewshot.research.training.network import ExpressionNetwork  # noqa: E402


def small() -> ExpressionNetwork:
    torch.manual_seed(0)
    return ExpressionNetwork("test_efficientnet", dimension=8, identity_dimension=4, quarters=[16]).eval()


def table(faces: int = 6) -> FaceTable:
    rng = np.random.default_rng(0)
    to_crop = np.tile(np.array([[1.0, 0, 0], [0, 1, 0]], np.float32), (faces, 2, 1, 1))
    pictures = [rng.integers(0, 256, (112, 112), dtype=np.uint8) for _ in range(faces)]
    return FaceTable(pictures, to_crop, {"label": np.arange(faces)})


def maps_of(front: Front, augmentation: Augmentation | None = None, views: int = 1):
    return front.views_of(FaceCrops(table(), augmentation), views)


def blocks_of(network: ExpressionNetwork) -> int:
    return network.backbone.stage_ends[network.quarters[0]]


def test_maps_in_place_of_pictures_give_the_same_vectors() -> None:
    whole, cut = small(), small()
    faces = FaceCrops(table())
    front = Front(cut, blocks_of(whole))
    mapped = front.views_of(faces, 1)
    grey = torch.stack([faces[index]["grey"] for index in range(6)]).float()
    maps = torch.stack([mapped[index]["grey"] for index in range(6)])
    assert maps.shape[1] > 1 and maps.shape[-1] < 112
    with torch.no_grad():
        torch.testing.assert_close(cut.expression(maps), whole.expression(grey), atol=5e-3, rtol=0)
    assert [int(mapped[index]["label"]) for index in range(6)] == list(range(6))


def test_views_differ_and_come_again() -> None:
    network = small()
    mapped = maps_of(Front(network, blocks_of(network)), Augmentation(), views=2)
    seen: list[Tensor] = []
    for epoch in range(3):
        mapped.epoch = epoch
        seen.append(mapped[0]["grey"])
    assert not torch.equal(seen[0], seen[1]) and torch.equal(seen[0], seen[2])


def test_a_checkpoint_is_completed_with_what_was_taken_out(tmp_path: Path) -> None:
    whole, cut = small(), small()
    own = {f"network.{name}": value for name, value in whole.state_dict().items()}
    torch.save({"state_dict": own, "network": whole.config}, tmp_path / "start.ckpt")
    front = Front(cut, blocks_of(whole))
    with torch.no_grad():
        cut.project_expression.weight += 1
        for parameter in cut.identity_head.parameters():
            parameter.zero_()
    rest = {f"network.{name}": value for name, value in cut.state_dict().items()}
    assert len(rest) < len(own)
    torch.save({"state_dict": rest, "network": cut.config}, tmp_path / "last.ckpt")
    front.complete(tmp_path / "last.ckpt", tmp_path / "start.ckpt")
    state = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    assert state.keys() == own.keys()
    changed = {name for name, value in state.items() if not torch.equal(value, own[name])}
    assert changed == {"network.project_expression.weight"}


@pytest.mark.parametrize("blocks", [0, 1, 99])
def test_too_few_or_too_many_blocks_are_refused(blocks: int) -> None:
    with pytest.raises(UsageError, match="identity is read from block"):
        Front(small(), blocks)
