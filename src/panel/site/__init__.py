"""Approved reviews as a static site. It knows no model and no provider: publishing cannot spend money."""

from __future__ import annotations

from panel.site.build import Built, Place, build_site
from panel.site.options import PromptText, SiteOptions

__all__ = ["Built", "Place", "PromptText", "SiteOptions", "build_site"]
