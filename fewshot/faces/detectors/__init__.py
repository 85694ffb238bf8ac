"""The face detectors, one file each; ``fewshot.faces.open_detector`` chooses one."""
