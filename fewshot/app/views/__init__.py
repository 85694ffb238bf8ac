"""One module a page: what it shows, and which of the tested modules it asks."""
