"""The knowledge: TOML tables and Markdown templates, and no code. Read it with a clinician."""
