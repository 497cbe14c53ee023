"""The approval of drafts: how they are listed, read, edited, resolved, approved and published."""
