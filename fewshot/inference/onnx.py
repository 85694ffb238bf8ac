"""How every ONNX network of this package is opened, and by which engine.

Left to itself the choice is OpenVINO where it is installed (``pip install "fewshot[openvino]"``) and the processor is
an x86-64, else ONNX Runtime. ``docs/explanation/engines.md`` has the times behind that rule. ``FEWSHOT_ENGINE``
overrules it.
"""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from fewshot.errors import ModelUnavailable, UsageError
from fewshot.inference.engines import OnnxRuntimeSession, OpenVinoSession, Port, Session, openvino_core

__all__ = ["Choice", "Engine", "Port", "Session", "choose_engine", "open_session"]

Engine = Literal["auto", "onnxruntime", "openvino", "cuda", "coreml"]

_PROVIDERS = {
    "cuda": (
        "CUDAExecutionProvider",
        "an NVIDIA card with its driver, and `pip uninstall onnxruntime; pip install onnxruntime-gpu`",
    ),
    "coreml": ("CoreMLExecutionProvider", "a Mac, and the onnxruntime made for it"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine and, for people, why it was chosen."""

    engine: Engine
    why: str


def choose_engine(wanted: Engine = "auto") -> Choice:
    """What will run the networks: what is asked for, else ``FEWSHOT_ENGINE``, else what is fastest here.

    Raises:
        UsageError: there is no such engine.
        ModelUnavailable: it is not here.
    """
    why = "it was asked for"
    if wanted == "auto":
        wanted, why = _of_environment(), "FEWSHOT_ENGINE says so"
    if wanted not in get_args(Engine):
        raise UsageError(f"There is no engine called {wanted!r}. Choose from: {', '.join(get_args(Engine))}.")
    if wanted == "auto":
        return _fastest()
    if wanted == "openvino" and not _has_openvino():
        raise ModelUnavailable('The engine openvino is not installed. Run: pip install "fewshot[openvino]"')
    if wanted in _PROVIDERS:
        _require_provider(wanted)
    return Choice(wanted, why)


def open_session(path: Path, threads: int | None = None, engine: Engine = "auto", *, fast: bool = False) -> Session:
    """Open a network.

    Args:
        path: the .onnx file.
        threads: for one run. If None, ONNX Runtime gets every core, but at most 4, because these networks are small;
            OpenVINO half of the cores, because its second thread gains next to nothing here.
        engine: what runs it, see ``choose_engine``.
        fast: whether bf16 will do where the processor has it: for vectors, whose cosine to the fp32 ones stays above
            0.999. Boxes and landmarks would move by up to a hundredth of a face.

    Raises:
        ModelUnavailable: the file is missing or no network, or the engine is not here.
        UsageError: there is no such engine.
    """
    chosen = choose_engine(engine).engine
    cores = os.cpu_count() or 1
    try:
        if chosen == "openvino":
            return OpenVinoSession(path, threads or max(1, min(4, cores // 2)), fastest_precision() if fast else "f32")
        provider = _PROVIDERS[chosen][0] if chosen in _PROVIDERS else "CPUExecutionProvider"
        session = OnnxRuntimeSession(path, threads or min(4, cores), provider)
    except Exception as error:  # both libraries raise families of their own that they do not export
        raise ModelUnavailable(
            f"The network {path} cannot be loaded by {chosen} ({error}). Expected an ONNX file. "
            "Run: fewshot models verify"
        ) from error
    if chosen in _PROVIDERS and provider not in session.providers:
        raise ModelUnavailable(f"The engine {chosen} did not start for {path}. It needs {_PROVIDERS[chosen][1]}.")
    return session


def fastest_precision() -> str:
    """Of OpenVINO's arithmetic: bf16 where the processor multiplies such numbers itself, else f32."""
    return "bf16" if "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def _of_environment() -> Engine:
    return os.environ.get("FEWSHOT_ENGINE", "").strip().lower() or "auto"  # type: ignore[return-value]


def _fastest() -> Choice:
    if not _has_openvino():
        return Choice("onnxruntime", 'openvino is not installed (on x86-64 faster: pip install "fewshot[openvino]")')
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return Choice("onnxruntime", f"OpenVINO was not measured on {platform.machine()}")
    return Choice("openvino", "it is installed, and faster on x86-64")


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _require_provider(engine: str) -> None:
    import onnxruntime

    provider, needs = _PROVIDERS[engine]
    here = onnxruntime.get_available_providers()
    if provider not in here:
        raise ModelUnavailable(
            f"The engine {engine} is not here: it needs {needs}. This onnxruntime has {', '.join(here)}."
        )
