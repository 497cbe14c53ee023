"""The build that the settings describe: options, folder and build cache."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from panel.errors import SettingsError
from panel.prompts.folders import personas_folder, shipped, templates_folder
from panel.prompts.persona_files import load_personas, seat_roster
from panel.prompts.templates import REASK, TAKE, PromptBook
from panel.site.build import BuildPaths
from panel.site.options import PromptText, SiteOptions
from panel.version import __version__

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved

CACHES = "sites"
"""The folder of build caches in the user's data."""


class ConfiguredBuild(NamedTuple):
    """Options and paths of a build."""

    options: SiteOptions
    paths: BuildPaths


def configured_build(resolved: Resolved, folder: str | Path) -> ConfiguredBuild:
    """Return the options and paths of a build of the site in a folder.

    Raises:
        PanelError: the site's address or the `site` extra is missing, or a persona or prompt cannot be read.
    """
    if importlib.util.find_spec("PIL") is None:
        raise SettingsError("the site's pictures need the site extra: pip install 'panel-review[site]'")
    site = Path(folder)
    # One cache for each folder and store: a folder may be built from several stores in turn.
    key = f"{site.absolute()}\n{resolved.database}".encode("utf-8", "surrogateescape")
    cache = resolved.data_dir / CACHES / f"{hashlib.sha256(key).hexdigest()[:16]}.db"
    return ConfiguredBuild(site_options(resolved), BuildPaths(site, cache))


def site_options(resolved: Resolved) -> SiteOptions:
    """Return the site's options from the settings, personas and prompts in force.

    Raises:
        PanelError: its address is missing, or a persona or prompt cannot be read.
    """
    settings = resolved.settings
    if settings.site_url is None:
        raise SettingsError(
            "site_url: not set; state the public address of the site with --site-url https://reviews.example.org or in panel.yaml"
        )
    prompts = PromptBook([templates_folder(settings.prompts), shipped("prompts")], b"", scaffolded=False)
    personas = load_personas(personas_folder(settings.personas))
    roster = seat_roster(personas, [entry.partition("=")[0].strip() for entry in settings.roster])
    critics = dict.fromkeys([*(persona.id for persona in roster), *personas])
    return SiteOptions(
        url=settings.site_url,
        name=settings.site_name,
        generator=f"panel {__version__}",
        newsletter=settings.newsletter,
        voting=settings.voting,
        shown_from=settings.votes_shown_from,
        critics=tuple(personas[name] for name in critics),
        prompts=tuple(PromptText(name=name, text=prompts.source(name)) for name in (TAKE, REASK)),
        prompts_digest=prompts.digest,
    )
