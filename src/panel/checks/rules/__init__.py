"""The checks, one module each: a decorator of `panel.checks.registry` makes its function a check."""
