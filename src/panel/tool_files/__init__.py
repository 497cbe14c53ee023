"""Tool files (YAML, JSON, JSON Lines, CSV, Markdown) to tools, with the file, field and line of every error.

`panel.web_pages.sources` reads these and saved web pages together.
"""
