"""The service: classes, lessons and readings for other programs, over HTTP and WebSocket."""
