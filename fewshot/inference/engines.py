"""The libraries that run networks, behind one class each. ``onnx.py`` decides which is used."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from fewshot.models.files import home


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a network; ``shape`` has None, or a name, where a size may vary."""

    name: str
    shape: tuple[Any, ...]


class Session(Protocol):
    """An opened network. May be run from several threads at once.

    Attributes:
        engine: what runs it, such as "onnxruntime" or "openvino bf16".
        properties: what the exporter wrote into the file.
    """

    engine: str
    properties: Mapping[str, str]

    def run(self, output_names: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Outputs, all of them if ``output_names`` is None, for inputs by name."""
        ...

    def get_inputs(self) -> list[Port]: ...

    def get_outputs(self) -> list[Port]: ...


class OnnxRuntimeSession:
    """ONNX Runtime, on the CPU or through another of its execution providers.

    Args:
        path: the .onnx file.
        threads: of one run.
        provider: name of the execution provider.
    """

    def __init__(self, path: Path, threads: int, provider: str = "CPUExecutionProvider") -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # The stages of the loop take turns: threads of one network that spin would slow down the next one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Sizes differ from frame to frame (faces in a batch), so memory planned for one size is not kept for the next.
        options.enable_mem_pattern = False
        # SCRFD's file declares the output sizes of another input than ours, and would warn at every frame.
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=[provider])
        self.engine = "onnxruntime" if provider == "CPUExecutionProvider" else f"onnxruntime {provider}"
        self.properties: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.providers: list[str] = self._session.get_providers()

    def run(self, output_names: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        return list(self._session.run(output_names, dict(feed)))

    def get_inputs(self) -> list[Port]:
        return [Port(port.name, tuple(port.shape)) for port in self._session.get_inputs()]

    def get_outputs(self) -> list[Port]:
        return [Port(port.name, tuple(port.shape)) for port in self._session.get_outputs()]


_MOST_COPIES = 4


class OpenVinoSession:
    """OpenVINO on the CPU; every thread that calls has a request, and so buffers, of its own.

    Args:
        path: the .onnx file.
        threads: of one run.
        precision: "f32" or "bf16", of what is not quantised.
    """

    def __init__(self, path: Path, threads: int, precision: str = "f32") -> None:
        core = openvino_core()
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision,
            # Pinned, two networks of one thread each would share the first core, and the second would idle.
            "ENABLE_CPU_PINNING": False,
        }
        if folder := _cache_folder():
            # Compiling takes several times as long as reading what was compiled at an earlier start.
            settings["CACHE_DIR"] = str(folder)
        model = core.read_model(path)
        about = model.get_rt_info()
        written = about["framework"].items() if "framework" in about else ()
        self.properties: Mapping[str, str] = {key: str(value.astype(str)) for key, value in written}
        # A compiled network works on one call at a time, in the thread that calls: two workers with one between them
        # took turns (2 x 20 calls a second), with a copy each (a few MB) they do not (2 x 40). OpenVINO's own streams
        # hand the work over to further threads, which was slower with all cores busy.
        self._compile = partial(core.compile_model, model, "CPU", settings)
        self._compiled = self._compile()
        self._copies = [self._compiled]
        self._callers = 0
        self._opening = threading.Lock()
        self._requests = threading.local()
        self._inputs = [_port(port) for port in self._compiled.inputs]
        self._outputs = [_port(port) for port in self._compiled.outputs]
        self._rows = {port.name: row for row, port in enumerate(self._outputs)}
        self.engine = f"openvino {precision}"

    def run(self, output_names: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._copy().create_infer_request()
        request.infer(dict(feed), share_inputs=True)
        wanted = self._rows.values() if output_names is None else (self._rows[name] for name in output_names)
        # Copied: the next run of this thread overwrites them.
        return [request.get_output_tensor(row).data.copy() for row in wanted]

    def _copy(self) -> Any:
        """The compiled network of the next thread that calls: one of its own, up to ``_MOST_COPIES``."""
        with self._opening:
            number = self._callers % _MOST_COPIES
            self._callers += 1
            if number == len(self._copies):
                self._copies.append(self._compile())
            return self._copies[number]

    def get_inputs(self) -> list[Port]:
        return list(self._inputs)

    def get_outputs(self) -> list[Port]:
        return list(self._outputs)


@cache
def openvino_core() -> Any:
    """The one Core of the process.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    import openvino

    return openvino.Core()


def _cache_folder() -> Path | None:
    """Where compiled networks are kept; None if nothing can be written there, which costs time alone."""
    folder = home() / "cache" / "openvino"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _port(port: Any) -> Port:
    shape = port.get_partial_shape()
    return Port(port.get_any_name(), tuple(None if size.is_dynamic else size.get_length() for size in shape))
