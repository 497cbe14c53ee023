"""Providers: adapters to models, the registry that finds them, prices, and middleware around every call."""
