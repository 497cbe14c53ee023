"""The public server: the published site, readers' votes, and sign-up for the newsletter; it has no accounts."""
