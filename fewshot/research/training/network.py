"""A timm backbone with two small outputs: an expression vector and an identity vector, both on the unit sphere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from fewshot.errors import FewshotError, UsageError
from fewshot.faces.align import CROP_SIZE

GREY_SPREAD = 64.0
"""Grey levels are divided by this, about their standard deviation, after taking 127.5 away."""


class IdentityHead(nn.Module):
    """Who it is, from where things lie on an aligned face: needs a map of the face, not its average.

    The nearer to the picture it reads, the less the backbone has bent to expressions, and the more layers of its own it
    needs. Measured on CK+ with an earlier backbone frozen and linear heads fitted to the recogniser: the pooled
    features that the expression vector is made of rank the right one of 118 people first in 32 % of the pictures, the
    map at stride 8 in 89 %. An expression network forgets who it sees in its last layers; that is its job.

    Args:
        channels: of the backbone's map.
        grid: side of that map.
        dimension: of the identity vector.
        layers: width and stride of every convolution, and how many residual pairs follow it (0 if it is not said).
    """

    def __init__(self, channels: int, grid: int, dimension: int, layers: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.grid = side = grid
        body: list[nn.Module] = []
        for width, stride, *pairs in layers:
            body += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)]
            body += [ResidualPair(width) for _ in range(sum(pairs))]
            channels, side = width, (side + stride - 1) // stride
        self.body = nn.Sequential(*body, nn.Flatten())
        self.project = nn.Linear(channels * side**2, dimension)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (n, channels, h, w) to unit vectors (n, dimension)."""
        if maps.shape[-1] != self.grid:  # small training pictures
            maps = functional.interpolate(maps, size=(self.grid, self.grid), mode="bilinear")
        return functional.normalize(self.project(self.body(maps)), dim=1)


class ResidualPair(nn.Module):
    """Two convolutions whose answer is added to what they were asked (He et al. 2016); at first they add nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for _ in range(2):
            parts += [nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)]
        self.added = nn.Sequential(*parts[:-1])
        self.activation = parts[-1]
        nn.init.zeros_(self.added[-1].weight)  # type: ignore[arg-type]

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape, (n, width, side, side)."""
        answer: Tensor = self.activation(maps + self.added(maps))
        return answer


def quarter_means(maps: Tensor) -> Tensor:
    """Maps (n, channels, side, side) to their means over four quarters (n, 4 * channels); a middle row counts twice."""
    side = maps.shape[-1]
    half = (side + 1) // 2
    return functional.avg_pool2d(maps, half, max(side - half, 1)).flatten(1)


FITTING = "mobilenetv4_conv_small, mobilenetv2_100, mobilenetv3_small_100, efficientnet_lite0, resnet18"


def timm_model(name: str, options: Mapping[str, Any]) -> Any:
    """An untrained timm model for grey pictures, without its classifier.

    Raises:
        UsageError: timm knows no such model, or it does not take these options.
    """
    try:
        return timm.create_model(name, in_chans=1, num_classes=0, **options)
    except RuntimeError as error:
        near = ", ".join(get_close_matches(name, timm.list_models(), n=3))
        meant = f" Names like it: {near}." if near else ""
        raise UsageError(
            f"timm has no model {name!r}.{meant} Choose another one, for example one of {FITTING}."
        ) from error
    except (TypeError, ValueError, AssertionError) as error:
        raise UsageError(
            f"timm cannot make {name} for grey pictures with these options ({str(error)[:200]}). Change "
            f"backbone.options or choose another model, for example one of {FITTING}."
        ) from error


def strides_of(backbone: nn.Module) -> list[int]:
    """Of each map that the backbone gives, how many pixels of the picture one of its points stands for."""
    return [int(stage["reduction"]) for stage in getattr(backbone, "feature_info", None) or ()]


def unfit(name: str, why: str) -> UsageError:
    """The error for a timm model that lacks what an expression network needs."""
    return UsageError(
        f"{name} cannot be the backbone: {why}. Needed are maps of its stages and pooled features. Choose another timm "
        f"model, for example one of {FITTING}."
    )


class ExpressionNetwork(nn.Module):
    """f_phi of a prototypical network (Snell et al. 2017): pictures to points of which class means are prototypes.

    It sees grey pictures: all expression data at hand are grey, and a colour the training never varied would be read
    as meaning. The identity vector is distilled from a face recogniser; it serves where none is installed.

    Args:
        backbone: any timm model name with feature maps at ``identity_stride``.
        dimension: of the expression vector.
        identity_dimension: of the identity vector.
        drop_rate: dropout before the expression vector.
        size: side of the grey pictures it is made for, pixels; the runtime shrinks its 112x112 crops to that.
        identity_stride: of the map that identity is read from.
        identity_layers: width and stride of the convolutions that read it, and how many residual pairs follow each.
        quarters: strides of maps whose means over the four quarters of a face stand beside the pooled features. Earlier
            layers have not yet fallen in on the classes of the training, and say where something moved.
        options: further arguments of ``timm.create_model``, such as ``act_layer``.

    Raises:
        UsageError: timm knows no such model, or it has no maps at these strides.
    """

    def __init__(
        self,
        backbone: str,
        dimension: int = 128,
        identity_dimension: int = 128,
        drop_rate: float = 0.1,
        size: int = CROP_SIZE,
        options: Mapping[str, Any] | None = None,
        identity_stride: int = 8,
        identity_layers: Sequence[Sequence[int]] = ((96, 2), (64, 1)),
        quarters: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "backbone": backbone,
            "dimension": dimension,
            "identity_dimension": identity_dimension,
            "drop_rate": drop_rate,
            "size": size,
            "options": dict(options or {}),
            "identity_stride": identity_stride,
            "identity_layers": [list(layer) for layer in identity_layers],
            "quarters": list(quarters),
        }
        self.backbone = timm_model(backbone, self.config["options"])
        self.stage = self._stage(identity_stride)
        self.quarters = [self._stage(stride) for stride in quarters]
        try:
            with torch.no_grad():
                features, maps = self.eval().features(torch.zeros(1, 1, size, size))
            if features.dim() != 2 or maps.dim() != 4:
                raise ValueError(f"features of shape {tuple(features.shape)}, maps of shape {tuple(maps.shape)}")
        except (RuntimeError, ValueError, TypeError, AssertionError, AttributeError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise unfit(backbone, f"it cannot read grey pictures of {size} pixels ({reason})") from error
        self.dropout = nn.Dropout(drop_rate)
        self.project_expression = nn.Linear(features.shape[1], dimension)
        self.identity_head = IdentityHead(maps.shape[1], maps.shape[2], identity_dimension, identity_layers)
        self.train()

    def _stage(self, stride: int) -> int:
        """Place of the last map at a stride among the backbone's."""
        strides = strides_of(self.backbone)
        name = self.config["backbone"]
        if not strides or not hasattr(self.backbone, "forward_intermediates"):
            raise unfit(name, "it gives no maps of its stages")
        if stride not in strides:
            given = ", ".join(map(str, sorted(set(strides))))
            raise unfit(
                name,
                f"it has no map at stride {stride} (its strides: {given}; backbone.identity_stride and "
                "backbone.quarters say which are read)",
            )
        return max(index for index, one in enumerate(strides) if one == stride)

    def features(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, width), pooled and of ``quarters``, and the map for identity (n, channels, h, w)."""
        taps = sorted({self.stage, *self.quarters})
        last, found = self.backbone.forward_intermediates((grey - 127.5) / GREY_SPREAD, indices=taps)
        maps = dict(zip(taps, found, strict=True))
        parts = [self.backbone.forward_head(last), *(quarter_means(maps[stage]) for stage in self.quarters)]
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0], maps[self.stage]

    def pooled(self, grey: Tensor) -> Tensor:
        """The backbone's pooled features alone (n, width): not negative where its last layer is a ReLU."""
        features: Tensor = self.backbone((grey - 127.5) / GREY_SPREAD)
        return features

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """Embed crops.

        Args:
            grey: float, 0..255, shape (n, 1, height, width); ``size`` is what the runtime gives it.

        Returns:
            (expression, shape (n, dimension); identity, shape (n, identity_dimension)), rows of length 1.
        """
        features, maps = self.features(grey)
        expression = self.project(features)
        # Identity must not pull at what expression needs: its gradient ends here.
        return expression, self.identity_head(maps.detach())

    def expression(self, grey: Tensor) -> Tensor:
        """The first of ``forward``'s two, without the cost of the second."""
        return self.project(self.features(grey)[0])

    def project(self, features: Tensor) -> Tensor:
        """Pooled features (n, width) to expression vectors (n, dimension) of length 1."""
        return functional.normalize(self.project_expression(self.dropout(features)), dim=1)

    def start_from(self, path: str | Path, scale: float) -> None:
        """Take a colour network's weights for the backbone: its first layer sums over the colours of a grey picture.

        Args:
            path: state dict of the same timm model, with or without a classifier.
            scale: what the pretrained network's input is divided by, in grey levels (127.5 for inputs in -1..1).

        Raises:
            FewshotError: the file is of another network.
        """
        state = torch.load(path, map_location="cpu", weights_only=True)
        own = self.backbone.state_dict()
        taken = {name: value for name, value in state.items() if name in own}
        stem = next(name for name, value in own.items() if value.dim() == 4)
        if missing := sorted(set(own) - set(taken)):
            raise FewshotError(f"{path} has no {missing[0]}: it is no {self.config['backbone']}.")
        taken[stem] = taken[stem].sum(dim=1, keepdim=True) * (GREY_SPREAD / scale)
        self.backbone.load_state_dict(taken)

    @torch.no_grad()
    def unfold_batch_norm(self, grey: Tensor) -> None:
        """Give batch norms that were folded into their convolutions their statistics back, without changing the output.

        A network that was exported and read back has norms of mean 0 and variance 1. It answers as it should, until
        training normalises by the batch and turns it into another network that knows nothing.

        Args:
            grey: some hundred training crops, as for ``forward``.
        """
        norms = [module for module in self.backbone.modules() if isinstance(module, nn.BatchNorm2d)]
        seen: dict[nn.Module, Tensor] = {}
        hooks = [norm.register_forward_pre_hook(lambda norm, inputs: seen.update({norm: inputs[0]})) for norm in norms]
        mode = self.training
        self.eval().features(grey)
        self.train(mode)
        for hook in hooks:
            hook.remove()
        for norm, values in seen.items():
            assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None  # nosec B101: for the type checker
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            offset = norm.bias - norm.running_mean * scale
            mean, variance = values.mean((0, 2, 3)), values.var((0, 2, 3), correction=0)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(scale * (variance + norm.eps).sqrt())
            norm.bias.copy_(offset + mean * scale)

    def front(self, blocks: int) -> list[nn.Module]:
        """The stem and the first blocks, whose weights may stay as pretraining left them.

        Raises:
            UsageError: the backbone is not built of a stem and blocks.
        """
        if blocks and not all(hasattr(self.backbone, part) for part in ("conv_stem", "bn1", "blocks")):
            raise UsageError(
                f"The first blocks of {self.config['backbone']} cannot stay as they are: it is not built of a stem and "
                "blocks. Set model.frozen_blocks=0 and front.blocks=0, or choose a backbone such as mobilenetv2_100."
            )
        return [self.backbone.conv_stem, self.backbone.bn1, *self.backbone.blocks[:blocks]] if blocks else []
