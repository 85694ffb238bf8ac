"""Vectors -> readings: prototypes of students, estimated, stored, calibrated and compared with."""
