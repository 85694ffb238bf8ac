"""Train only the last blocks of a network: what the frozen first ones give is computed once for a few views of a face.

A step then costs a third, and as the first blocks stay as they are, so does everything else that is made of their maps,
such as the identity output.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn
from torch.utils.data import DataLoader

from fewshot.errors import UsageError
from fewshot.research.training.export import read_checkpoint
from fewshot.research.training.face_data import FaceCrops
from fewshot.research.training.network import GREY_SPREAD, ExpressionNetwork

BATCH = 256


class Front:
    """The stem and the first blocks of a network, taken out of it: what is left takes their maps for pictures.

    Args:
        network: changed in place, until ``complete``.
        blocks: how many blocks to take out.

    Raises:
        UsageError: the network reads its features or the identity from a map of a later block.
    """

    def __init__(self, network: ExpressionNetwork, blocks: int) -> None:
        backbone, self.blocks, self.size = network.backbone, blocks, network.config["size"]
        identity, *read = (backbone.stage_ends[stage] for stage in (network.stage, *network.quarters, -1))
        # The map of the last block taken out may be read: it is what comes in.
        if not identity <= blocks <= min(read):
            raise UsageError(
                f"The first {blocks} blocks cannot stay as they are. The identity is read from block {identity}, the "
                f"features from block {min(read)}: give a number from {identity} to {min(read)}."
            )
        self.state = {name: value.clone() for name, value in backbone.state_dict().items() if self._is_front(name)}
        self.layers = nn.Sequential(backbone.conv_stem, backbone.bn1, *backbone.blocks[:blocks]).eval()
        backbone.conv_stem, backbone.bn1 = nn.Identity(), nn.Identity()
        for index in range(blocks):
            backbone.blocks[index] = nn.Identity()

    def views_of(self, crops: FaceCrops, views: int) -> MappedFaces:
        """The maps of all faces in so many epochs of their augmentation; those of the first epoch follow the last."""
        with tempfile.TemporaryDirectory() as folder:
            session = self._session(Path(folder) / "front.onnx")
            parts = []
            for epoch in range(views):
                crops.epoch = epoch
                batches = track(DataLoader(crops, BATCH, num_workers=1), f"maps of view {epoch + 1} of {views}")
                found = [session.run(None, {"grey": batch["grey"].numpy()})[0] for batch in batches]
                parts.append(np.concatenate([maps.astype(np.float16) for maps in found]))
        return MappedFaces(crops, parts)

    def complete(self, checkpoint: Path, start: Path) -> None:
        """Put these blocks, and the identity head that was made for them, into a checkpoint of the rest.

        Args:
            checkpoint: of the run; changed.
            start: what the run began with.
        """
        trained, begun = torch.load(checkpoint, map_location="cpu", weights_only=True), read_checkpoint(start)
        state = trained["state_dict"] | {f"network.backbone.{name}": value for name, value in self.state.items()}
        heads = {name: value for name, value in begun["state_dict"].items() if "network.identity_head" in name}
        kept = {name: trained[name] for name in ("network", "classes") if name in trained}
        torch.save({"state_dict": state | heads, **kept}, checkpoint)

    def _is_front(self, name: str) -> bool:
        first, *rest = name.split(".")
        return first in ("conv_stem", "bn1") or (first == "blocks" and int(rest[0]) < self.blocks)

    def _session(self, path: Path) -> onnxruntime.InferenceSession:
        example = torch.zeros(2, 1, self.size, self.size, dtype=torch.uint8)
        program = torch.onnx.export(
            _FromGrey(self.layers).eval(),
            (example,),
            str(path),
            dynamo=True,
            input_names=["grey"],
            dynamic_shapes={"grey": {0: torch.export.Dim("n", min=1, max=4096)}},
            verbose=False,
        )
        assert program is not None  # nosec B101: for the type checker
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


class _FromGrey(nn.Module):
    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, grey: Tensor) -> Tensor:
        maps: Tensor = self.layers((grey.float() - 127.5) / GREY_SPREAD)
        return maps


class MappedFaces(FaceCrops):
    """Faces as ``FaceCrops``, with the maps of their first blocks in place of the picture.

    Args:
        crops: where the targets come from.
        maps: one array for each view, shape (n, channels, side, side).
    """

    def __init__(self, crops: FaceCrops, maps: list[NDArray[np.float16]]) -> None:
        super().__init__(crops.table, crops.augmentation, crops.aligned, crops.seed, crops.size)
        self.maps = maps

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        row = {name: torch.as_tensor(values[index]) for name, values in self.table.targets.items()}
        maps = torch.from_numpy(self.maps[self.epoch % len(self.maps)][index]).float()
        # The network takes off and divides by what it does to a picture.
        row["grey"] = maps * GREY_SPREAD + 127.5
        return row
