"""A timm backbone with two small outputs: an expression vector and an identity vector, both on the unit sphere."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional


class ExpressionNetwork(nn.Module):
    """f_phi of a prototypical network (Snell et al. 2017): pictures to points of which class means are prototypes.

    It sees grey pictures: all expression data at hand are grey, and a colour the training never varied would be read
    as meaning. The identity vector is distilled from a face recogniser; it serves where none is installed.

    Args:
        backbone: any timm model name.
        dimension: of the expression vector.
        identity_dimension: of the identity vector.
        drop_rate: dropout before the projections.
    """

    def __init__(
        self, backbone: str, dimension: int = 128, identity_dimension: int = 128, drop_rate: float = 0.1
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "backbone": backbone,
            "dimension": dimension,
            "identity_dimension": identity_dimension,
            "drop_rate": drop_rate,
        }
        self.backbone = timm.create_model(backbone, in_chans=1, num_classes=0)
        with torch.no_grad():
            width = self.backbone.eval()(torch.zeros(1, 1, 112, 112)).shape[1]
        self.backbone.train()
        self.dropout = nn.Dropout(drop_rate)
        self.project_expression = nn.Linear(width, dimension)
        self.project_identity = nn.Linear(width, identity_dimension)

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """Embed crops.

        Args:
            grey: float, 0..255, shape (n, 1, height, width); 112x112 is what the runtime gives it.

        Returns:
            (expression, shape (n, dimension); identity, shape (n, identity_dimension)), rows of length 1.
        """
        features = self.dropout(self.backbone((grey - 127.5) / 64.0))
        expression = functional.normalize(self.project_expression(features), dim=1)
        return expression, functional.normalize(self.project_identity(features), dim=1)
