"""How every ONNX network of this package is opened and run: ONNX Runtime or OpenVINO."""
