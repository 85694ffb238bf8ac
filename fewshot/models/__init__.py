"""The model files: which there are (``registry``), where they lie (``files``), and fetching them."""
