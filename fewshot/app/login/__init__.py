"""Login in front of the app: pages of its own, a cookie of its own, and a gate that lets only known people through."""
