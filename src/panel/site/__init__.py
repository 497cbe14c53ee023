"""Published reviews as a static site. The package knows no model and no provider: publishing cannot spend money."""

from __future__ import annotations

from panel.site.build import BuildResult, build_site
from panel.site.options import BuildPaths, SiteOptions, configured_build

__all__ = ["BuildPaths", "BuildResult", "SiteOptions", "build_site", "configured_build"]
