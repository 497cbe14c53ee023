"""Published reviews as a static site. The package knows no model and no provider: publishing cannot spend money."""

from __future__ import annotations

from panel.site.build import BuildPaths, BuildResult, build_site
from panel.site.configured import configured_build
from panel.site.options import PromptText, SiteOptions

__all__ = ["BuildPaths", "BuildResult", "PromptText", "SiteOptions", "build_site", "configured_build"]
