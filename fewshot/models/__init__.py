"""The model files: which ones exist (``registry``), where they are (``files``), and how they are downloaded."""
