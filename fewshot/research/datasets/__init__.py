"""Datasets: loaders, who is used for what, and a folder of pictures of your own."""
