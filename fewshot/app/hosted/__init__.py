"""The demo that anybody may open (FEWSHOT_DEMO=1): sample classes only, and a store in memory for each visitor."""
