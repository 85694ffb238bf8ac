"""How every ONNX network of this package is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime


def open_session(path: Path, threads: int | None = None) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on the CPU.

    Args:
        path: the .onnx file.
        threads: for one run; the number of cores, but at most 4, when None: these networks are small.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(4, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    # The stages of the loop take turns: threads of one network that spin would slow down the next one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Sizes differ from frame to frame (faces in a batch), so memory planned for one size is not kept for the next.
    options.enable_mem_pattern = False
    # SCRFD's file declares the output sizes of another input than ours, and would warn at every frame.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
