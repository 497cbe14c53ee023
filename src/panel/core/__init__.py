"""Types and pure rules: no file, network, clock, template, logging or randomness."""
