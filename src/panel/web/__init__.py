"""The approval queue in a browser. Needs the `web` extra; imported by `panel serve` alone."""
