"""Middleware: providers around a provider, with one concern each; `stack` puts them together."""
