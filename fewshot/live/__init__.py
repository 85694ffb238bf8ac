"""The loop: sources, smoothing, sinks. Who a track is, and where results go, is handed in."""
