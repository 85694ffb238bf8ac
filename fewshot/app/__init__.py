"""The teacher's web app (Streamlit, extra ``app``): thin pages on modules that can be tested without a browser."""
