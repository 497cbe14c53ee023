"""The checks, one module each: `CHECK` declares the check."""
