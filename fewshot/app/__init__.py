"""The teacher's web app (Streamlit, extra ``app``): thin pages over modules that can be tested without a browser."""
