"""Opens and runs all ONNX networks of this package, with ONNX Runtime or OpenVINO."""
