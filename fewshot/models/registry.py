"""All model files as plain data: what each one is, where it is published, and what it may be used for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fewshot.translation import later

PACK_LICENCE = later("InsightFace pack: non-commercial research only")
OWN_LICENCE = later("our own weights: non-commercial research only, like the pictures that they were trained on")


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the internet: its address, and its expected checksum and size (bytes)."""

    url: str
    file: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of weights.

    Attributes:
        name: its name in this program.
        task: what it does, in words.
        source: its address; "embedded": it ships with this package; "repository": it is too large for the package and
            only in the project's repository.
        file: name of the file; in an archive, name of the member.
        sha256, size: of the published file, size in bytes; None if not known.
        licence: in plain words.
        commercial: whether commercial use is allowed.
        input: the input of the network.
        archive: the zip archive that contains it, at ``source``.
        folder: subfolder of the folder "models" of a cache.
        shared: subfolder of ``$FEWSHOT_SHARED/models``.
        copies: SHA-256 -> remark, for other files that can be used instead.
    """

    name: str
    task: str
    source: str
    file: str
    sha256: str | None
    size: int | None
    licence: str
    commercial: bool
    input: str
    archive: Remote | None = None
    folder: str = ""
    shared: str = ""
    copies: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def embedded(self) -> bool:
        """Whether it ships with this package."""
        return self.source == "embedded"

    @property
    def in_repository(self) -> bool:
        """Whether it is only in the project's repository."""
        return self.source == "repository"

    def remote(self, mirror: str = "") -> Remote | None:
        """The file to download, or its archive, from ``mirror`` if one is given.

        Returns None if it cannot be downloaded. A file of the repository can be downloaded only from a mirror.
        """
        remote = self.archive
        if self.in_repository and not mirror:
            return None
        if remote is None and self.sha256 is not None and self.size is not None and not self.embedded:
            remote = Remote(self.source, self.file, self.sha256, self.size)
        if remote is None or not mirror:
            return remote
        return Remote(f"{mirror.rstrip('/')}/{remote.file}", remote.file, remote.sha256, remote.size)


# The address that insightface 2.1 uses; its older release v0.7 has the same bytes.
BUFFALO_SC = Remote(
    url="https://github.com/deepinsight/insightface/releases/download/model-zoo/buffalo_sc.zip",
    file="buffalo_sc.zip",
    sha256="57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72",
    size=14_969_382,
)

_MODELS = (
    ModelFile(
        name="scrfd_500m",
        task=later("finds faces and their five landmarks (SCRFD-500M)"),
        source=BUFFALO_SC.url,
        file="det_500m.onnx",
        sha256="5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
        size=2_524_817,
        licence=PACK_LICENCE,
        commercial=False,
        input="picture, any multiple of 32 (640x384)",
        archive=BUFFALO_SC,
        folder="buffalo_sc",
        shared="insightface/models/buffalo_sc",
    ),
    ModelFile(
        name="mobilefacenet",
        task=later("recognises people (MobileFaceNet, WebFace600K)"),
        source=BUFFALO_SC.url,
        file="w600k_mbf.onnx",
        sha256="9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
        size=13_616_099,
        licence=PACK_LICENCE,
        commercial=False,
        input="face aligned to ArcFace's template, 112x112",
        archive=BUFFALO_SC,
        folder="buffalo_sc",
        shared="insightface/models/buffalo_sc",
        copies=MappingProxyType(
            {
                "18c1174870b7d23e0e313a3c1ea4a6475bc762b73d3ee3c21b015b31f5174e8d": "rebuilt in fp32 from an int8 copy "
                "(cosine 0.992), so its vectors differ slightly from those of the published file"
            }
        ),
    ),
    ModelFile(
        name="yunet",
        task=later("finds faces and their five landmarks (YuNet, for OpenCV)"),
        # OpenCV's own copy, pinned to a commit: its repository opencv_zoo is archived, and its LFS quota is used up.
        source="https://huggingface.co/opencv/face_detection_yunet/resolve/"
        "3cc26e7f1014a5ee5d74a42acee58bafc9d0a310/face_detection_yunet_2023mar.onnx",
        file="face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        size=232_589,
        licence=later("MIT: any use, including commercial use"),
        commercial=True,
        input="picture, any size",
        shared="detectors",
    ),
    ModelFile(
        name="landmarks",
        task=later("finds five landmarks in a face found by OpenCV's cascades"),
        source="embedded",
        file="landmarks.onnx",
        sha256="966acd88d49de796c0b5b59eb81daf920d56f7307d1d1e46e67ee94d142cc8cf",
        size=155_857,
        licence=OWN_LICENCE,
        commercial=False,
        input="square crop of a face",
    ),
    ModelFile(
        name="expression",
        task=later("computes the expression vector, in 8-bit integers"),
        source="embedded",
        file="expression.onnx",
        sha256="174eac84c9bf9630a2ae1e281b4d003dbb27f8243dbdd02d5fdf7cbf3cea73f6",
        size=3_440_392,
        licence=OWN_LICENCE,
        commercial=False,
        input="face aligned to the expression template, 112x112",
    ),
    ModelFile(
        name="expression_previous",
        task=later("the network of the version before, for classes that were enrolled with it"),
        source="embedded",
        file="expression_previous.onnx",
        sha256="226c3307f0d7271ec68619ee8e45fb5dd29568964139d59d272447bb6e2fb584",
        size=3_440_393,
        licence=OWN_LICENCE,
        commercial=False,
        input="face aligned to the expression template, 112x112",
    ),
    ModelFile(
        name="population",
        task=later("prototypes of unknown people, variances and thresholds for the expression vector"),
        source="embedded",
        file="expression.json",
        sha256="f0a8c045b950fd2b61ab42574674f6f22fadd1d07db09fa59e2631c30af40fc0",
        size=16_081,
        licence=OWN_LICENCE,
        commercial=False,
        input="expression vector",
    ),
    ModelFile(
        name="expression_fp32",
        task=later("computes the same expression vector in 32-bit floats, for graphics cards and for comparison"),
        source="repository",
        file="expression_fp32.onnx",
        sha256="d93b16f69aa15fdbd2cf78ffb12483d8515787c8f5af95aa35c5ab59ebaa26ef",
        size=9_712_413,
        licence=OWN_LICENCE,
        commercial=False,
        input="face aligned to the expression template, 112x112",
    ),
    ModelFile(
        name="identity",
        task=later("recognises people without a face recogniser, less reliably"),
        source="embedded",
        file="identity.onnx",
        sha256="571e4a3bd9570ac84082ea566ca6354c8d6c49450a0752c77519cd2bdea74d47",
        size=3_121_681,
        licence=OWN_LICENCE,
        commercial=False,
        input="face aligned to the expression template, 112x112",
    ),
)

REGISTRY: dict[str, ModelFile] = {entry.name: entry for entry in _MODELS}


def chain_licence(names: Iterable[str]) -> str:
    """The allowed use of several models together, in plain words. The strictest licence decides.

    Raises:
        KeyError: a name is not in the registry.
    """
    chain = [REGISTRY[name] for name in names]
    free = [f"{entry.name} ({entry.licence})" for entry in chain if entry.commercial]
    strict: dict[str, list[str]] = {}
    for entry in chain:
        if not entry.commercial:
            strict.setdefault(entry.licence, []).append(entry.name)
    if not strict:
        return f"Any use is allowed, including commercial use: {', '.join(free)}." if free else "No model is in use."
    reasons = "; ".join(f"{', '.join(names)} ({licence})" for licence, names in strict.items())
    text = f"Together for NON-COMMERCIAL RESEARCH ONLY, because of {reasons}."
    return f"{text} Free for any use without the others: {', '.join(free)}." if free else text
