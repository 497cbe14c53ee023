"""From files to domain values; calls no model."""
