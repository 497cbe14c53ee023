"""The newsletter: its issues, subscribers' links, and mail."""
