"""What classifiers themselves make of people they never saw: no photo and no prototype, ours and those of others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fewshot.protocols.controls import Readings
from fewshot.protocols.peers import available, peer_outputs
from fewshot.protocols.readers import class_vectors
from fewshot.protocols.report import Context
from fewshot.protocols.vectors import weights_of
from fewshot.types import EMOTIONS

LABELS = {"votes": "FER+ votes", "labels": "FER2013 labels"}
"""What each head of the training was trained on."""


def classified(context: Context, dataset: str) -> Iterator[tuple[str, str, Readings]]:
    """(network, classifier, what it read) of every picture of the seven emotions with a face, one network after
    another.

    Raises:
        UsageError: the weights do not lie beside the network.
    """
    seen = context.embed(dataset)
    seen = seen.only(seen.found)
    for head, labels in LABELS.items():
        for reader in class_vectors(weights_of(context.network), head).readers(len(EMOTIONS)):
            read = reader.logits(seen.vectors).argmax(axis=1)
            yield "ours", f"{reader.name}, {labels}", Readings(seen.subjects, seen.emotions, _named(read))
    pictures, faces = context.faces(dataset)
    kept = [row for row, picture in enumerate(pictures) if picture.emotion in EMOTIONS]
    shown = [pictures[row] for row in kept]
    for peer in available(context.shared):
        log, _ = peer_outputs(peer, context.shared, faces, context.cache)
        emotions, subjects = [picture.emotion for picture in shown], [picture.student for picture in shown]
        yield peer.name, "its own", Readings(subjects, emotions, _named(log[kept].argmax(axis=1)))


def _named(places: NDArray[np.int64]) -> list[str]:
    return [EMOTIONS[place] for place in places]
