"""One class for each library that runs networks. ``onnx.py`` chooses the library."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from fewshot.inference import blob_cache
from fewshot.models.files import home
from fewshot.models.lock import one_process
from fewshot.private_files import make_private_folder


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a network; ``shape`` has None or a name for sizes that may vary."""

    name: str
    shape: tuple[Any, ...]


class Session(Protocol):
    """An opened network. Several threads may run it at the same time.

    Attributes:
        engine: name of the engine, such as "onnxruntime" or "openvino bf16".
        properties: metadata that the exporter wrote into the file.
    """

    engine: str
    properties: Mapping[str, str]

    def run(self, output_names: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the network.

        Args:
            output_names: outputs to return; None returns all.
            feed: name of the input -> array; shapes are those of the ports.
        """
        ...

    def get_inputs(self) -> list[Port]:
        """Inputs in the order of the file."""
        ...

    def get_outputs(self) -> list[Port]:
        """Outputs in the order of the file."""
        ...


class OnnxRuntimeSession:
    """ONNX Runtime, on the CPU or through another of its execution providers.

    Args:
        path: the .onnx file.
        threads: number of threads for one run.
        provider: name of the execution provider.
    """

    def __init__(self, path: Path, threads: int, provider: str = "CPUExecutionProvider") -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # The stages of the loop take turns: busy-waiting threads of one network would slow down the next network.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The number of faces in a batch differs from frame to frame, so a memory plan for one size is not reused.
        options.enable_mem_pattern = False
        # SCRFD's file declares output sizes for another input size, which would cause a warning in every frame.
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=[provider])
        self.engine = "onnxruntime" if provider == "CPUExecutionProvider" else f"onnxruntime {provider}"
        self.properties: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.providers: list[str] = self._session.get_providers()

    def run(self, output_names: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """See ``Session.run``; shapes are those of ``get_inputs`` and ``get_outputs``."""
        return list(self._session.run(output_names, dict(feed)))

    def get_inputs(self) -> list[Port]:
        """See ``Session``."""
        return [Port(port.name, tuple(port.shape)) for port in self._session.get_inputs()]

    def get_outputs(self) -> list[Port]:
        """See ``Session``."""
        return [Port(port.name, tuple(port.shape)) for port in self._session.get_outputs()]


_MOST_COPIES = 4


class OpenVinoSession:
    """OpenVINO on the CPU. Calls at the same time run in copies of the network, each with its own buffers.

    Args:
        path: the .onnx file.
        threads: number of threads for one run.
        precision: "f32" or "bf16", for layers that are not quantised.
    """

    def __init__(self, path: Path, threads: int, precision: str = "f32") -> None:
        core = openvino_core()
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision,
            # With pinning, two networks with one thread each would share the first core, and the second would be idle.
            "ENABLE_CPU_PINNING": False,
        }
        if folder := _cache_folder():
            # Compiling takes several times as long as reading a network that was compiled before.
            settings["CACHE_DIR"] = str(folder)
        model = core.read_model(path)
        about = model.get_rt_info()
        written = about["framework"].items() if "framework" in about else ()
        self.properties: Mapping[str, str] = {key: str(value.astype(str)) for key, value in written}
        # A compiled network runs one call at a time, in the calling thread. Two workers that shared one took turns
        # (2 x 20 calls per second); with one copy each they do not (2 x 40). OpenVINO's own streams use additional
        # threads, which was slower when all cores were busy. A copy with its buffers takes 20 to 60 MB, so it is made
        # when calls overlap for the first time, and not for every thread.
        self._compile = partial(_compiled, core, model, settings)
        compiled = self._compile()
        self._idle = [compiled.create_infer_request()]
        self._copies = 1
        self._turn = threading.Condition()
        self._inputs = [_port(port) for port in compiled.inputs]
        self._outputs = [_port(port) for port in compiled.outputs]
        self._rows = {port.name: row for row, port in enumerate(self._outputs)}
        self.engine = f"openvino {precision}"

    def run(self, output_names: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """See ``Session.run``; shapes are those of ``get_inputs`` and ``get_outputs``."""
        with self._copy() as request:
            request.infer(dict(feed), share_inputs=True)
            wanted = self._rows.values() if output_names is None else (self._rows[name] for name in output_names)
            # Copied, because the next run overwrites the outputs.
            return [request.get_output_tensor(row).data.copy() for row in wanted]

    @contextmanager
    def _copy(self) -> Iterator[Any]:
        """A copy of the network that nobody else runs meanwhile: an idle one, or a new one up to ``_MOST_COPIES``."""
        with self._turn:
            self._turn.wait_for(lambda: self._idle or self._copies < _MOST_COPIES)
            request = self._idle.pop() if self._idle else None  # the one used last, whose memory is warm
            self._copies += request is None
        try:
            if request is None:
                request = self._compile().create_infer_request()
            yield request
        finally:
            with self._turn:
                if request is None:
                    self._copies -= 1  # it could not be made
                else:
                    self._idle.append(request)
                self._turn.notify()

    def get_inputs(self) -> list[Port]:
        """See ``Session``."""
        return list(self._inputs)

    def get_outputs(self) -> list[Port]:
        """See ``Session``."""
        return list(self._outputs)


def _compiled(core: Any, model: Any, settings: Mapping[str, Any]) -> Any:
    """Compile a network, or read it from the cache.

    Programs that start at once share the cache, so one process at a time uses it. A cache that cannot be used, because
    of a full disk for example, must not look like a model that does not load: then the network is compiled without it.
    """
    folder = settings.get("CACHE_DIR")
    if folder is None:
        return core.compile_model(model, "CPU", dict(settings))
    try:
        with one_process(Path(folder)):
            good = blob_cache.throw_away_damaged(Path(folder))
            compiled = core.compile_model(model, "CPU", dict(settings))
            blob_cache.remember(Path(folder), good)
            return compiled
    except (RuntimeError, OSError):
        return core.compile_model(model, "CPU", {**settings, "CACHE_DIR": ""})


@cache
def openvino_core() -> Any:
    """The only OpenVINO Core of this process.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    import openvino

    return openvino.Core()


def _cache_folder() -> Path | None:
    """Folder for compiled networks; None if it cannot be written, which only costs time."""
    folder = blob_cache.folder()
    try:
        for place in (home(), folder.parent, folder):
            make_private_folder(place)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _port(port: Any) -> Port:
    shape = port.get_partial_shape()
    return Port(port.get_any_name(), tuple(None if size.is_dynamic else size.get_length() for size in shape))
