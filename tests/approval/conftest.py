"""The approval service on both kinds of database."""

from __future__ import annotations

from store.conftest import empty, kind, path, server, store, where

__all__ = ["empty", "kind", "path", "server", "store", "where"]
