"""Chooses the engine for all ONNX networks of this package, and opens networks.

The default is OpenVINO if it is installed (``pip install '.[openvino]'`` in a checkout) and the processor is an x86-64,
else ONNX Runtime. ``docs/explanation/engines.md`` has the times behind this rule. ``FEWSHOT_ENGINE`` overrides it.
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
from fewshot.translation import later

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
    """An engine, and why it was chosen (in words, for users)."""

    engine: Engine
    why: str


def choose_engine(wanted: Engine = "auto") -> Choice:
    """The engine for the networks: ``wanted``, else ``FEWSHOT_ENGINE``, else the fastest one on this machine.

    Raises:
        UsageError: there is no such engine.
        ModelUnavailable: the engine is not installed or does not work here.
    """
    why = "it was requested"
    if wanted == "auto":
        wanted, why = _of_environment(), "FEWSHOT_ENGINE requests it"
    if wanted not in get_args(Engine):
        raise UsageError(f"There is no engine called {wanted!r}. Choose from: {', '.join(get_args(Engine))}.")
    if wanted == "auto":
        return _fastest()
    if wanted == "openvino" and not _has_openvino():
        raise ModelUnavailable(
            "The engine openvino is not installed.", hint="In the project's folder type: pip install '.[openvino]'"
        )
    if wanted in _PROVIDERS:
        _require_provider(wanted)
    return Choice(wanted, why)


def open_session(path: Path, threads: int | None = None, engine: Engine = "auto", *, fast: bool = False) -> Session:
    """Open a network.

    Args:
        path: the .onnx file.
        threads: number of threads for one run. If None, ONNX Runtime uses all cores, but at most 4, because these
            networks are small. OpenVINO uses half of the cores, because a second thread gains very little here.
        engine: see ``choose_engine``.
        fast: whether bf16 may be used if the processor supports it. This is good enough for vectors: their cosine
            similarity to fp32 vectors stays above 0.999. Boxes and landmarks would move by up to 1 % of a face.

    Raises:
        ModelUnavailable: the file is missing or not a network, or the engine is not available.
        UsageError: there is no such engine.
    """
    chosen = choose_engine(engine).engine
    cores = os.cpu_count() or 1
    try:
        if chosen == "openvino":
            return OpenVinoSession(path, threads or max(1, min(4, cores // 2)), fastest_precision() if fast else "f32")
        provider = _PROVIDERS[chosen][0] if chosen in _PROVIDERS else "CPUExecutionProvider"
        session = OnnxRuntimeSession(path, threads or min(4, cores), provider)
    except Exception as error:  # both libraries raise classes of errors that they do not export
        raise ModelUnavailable(
            later(
                "{engine} cannot load the network {path} ({reason}). Expected an ONNX file.",
                engine=chosen,
                path=path,
                reason=error,
            ),
            hint="To check the model files, type: fewshot models verify",
        ) from error
    if chosen in _PROVIDERS and provider not in session.providers:
        raise ModelUnavailable(f"The engine {chosen} did not start for {path}. It needs {_PROVIDERS[chosen][1]}.")
    return session


def fastest_precision() -> str:
    """The fastest number format for OpenVINO: bf16 if the processor supports it in hardware, else f32."""
    return "bf16" if "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def _of_environment() -> Engine:
    return os.environ.get("FEWSHOT_ENGINE", "").strip().lower() or "auto"  # type: ignore[return-value]


def _fastest() -> Choice:
    if not _has_openvino():
        return Choice("onnxruntime", "openvino (faster on x86-64) is not installed (pip install '.[openvino]')")
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return Choice("onnxruntime", f"OpenVINO was not tested on {platform.machine()}")
    return Choice("openvino", "it is installed, and it is the fastest on x86-64")


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _require_provider(engine: str) -> None:
    import onnxruntime

    provider, needs = _PROVIDERS[engine]
    here = onnxruntime.get_available_providers()
    if provider not in here:
        raise ModelUnavailable(
            f"The engine {engine} is not available. It needs {needs}. The installed onnxruntime has {', '.join(here)}."
        )
