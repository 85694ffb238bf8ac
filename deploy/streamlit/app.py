"""The demo on Streamlit Community Cloud: ``streamlit run deploy/streamlit/app.py`` (docs/deploy/demo.md)."""

import os

os.environ["FEWSHOT_DEMO"] = "1"

from fewshot.app.hosted.main import main

main()
