"""Prompt templates, persona files, the fence around the listing, the answer schema and the reply parser."""
