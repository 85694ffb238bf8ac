"""The loop: sources, smoothing, sinks. It is given the students' identities and the targets of results."""
