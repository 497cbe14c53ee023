"""Options of a site, and how they follow from the settings."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field

from panel.core.frozen import Frozen, digest_of
from panel.core.persona import Persona
from panel.errors import SettingsError
from panel.prompts.files import load_personas, personas_folder, seat_roster, shipped, templates_folder
from panel.prompts.templates import REASK, TAKE, PromptBook
from panel.version import __version__

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved

OFF, OWN = "off", "panel"
"""Values of the setting `newsletter`: no sign-up form, or one that panel's own public server answers."""


class SiteOptions(Frozen):
    """Options of a site.

    Attributes:
        url: public address, without a slash at its end: `https://reviews.example`.
        generator: the program and its version.
        newsletter: `off`, `panel`, or the address of an outside service that the sign-up form is sent to.
        shown_from: number of votes on a tool from which ships and skips are shown apart.
        critics: in the order of their pages.
        prompts: the templates that critics are asked with, by name; reviews name them by `prompts_digest`.
    """

    url: str
    name: str
    generator: str
    newsletter: str = OFF
    voting: bool = False
    shown_from: int = 5
    critics: tuple[Persona, ...] = ()
    prompts: dict[str, str] = Field(default_factory=dict)
    prompts_digest: str = ""

    @property
    def base(self) -> str:
        """The path under which the site is served, with a slash at its end."""
        return f"{urlsplit(self.url).path.rstrip('/')}/"

    @property
    def digest(self) -> str:
        """Digest of all options."""
        return digest_of(self.model_dump(mode="json"))

    @property
    def critic_names(self) -> dict[str, str]:
        """Critics' names by their ids."""
        return {critic.id: critic.name for critic in self.critics}

    def address(self, path: str) -> str:
        """Return the absolute address of a page or file, such as that of `tools/smollm3/`."""
        return f"{self.url.rstrip('/')}/{path}"


class BuildPaths(NamedTuple):
    """The folder of a site, and the file of its build cache."""

    site: Path
    cache: Path


def configured_build(resolved: Resolved, folder: str | Path) -> tuple[SiteOptions, BuildPaths]:
    """Return the options and paths of a build of the site in a folder, from the settings, personas and prompts in force.

    Raises:
        PanelError: the site's address or the `site` extra is missing, or a persona or prompt cannot be read.
    """
    settings = resolved.settings
    if importlib.util.find_spec("PIL") is None:
        raise SettingsError("the site's pictures need the site extra: pip install 'panel-review[site]'")
    if settings.site_url is None:
        raise SettingsError(
            "site_url: not set; state the public address of the site with --site-url https://reviews.example.org or in panel.yaml"
        )
    prompts = PromptBook([templates_folder(settings.prompts), shipped("prompts")], b"", scaffolded=False)
    personas = load_personas(personas_folder(settings.personas))
    roster = seat_roster(personas, [entry.partition("=")[0].strip() for entry in settings.roster])
    critics = dict.fromkeys([*(persona.id for persona in roster), *personas])
    options = SiteOptions(
        url=settings.site_url,
        name=settings.site_name,
        generator=f"panel {__version__}",
        newsletter=settings.newsletter,
        voting=settings.voting,
        shown_from=settings.votes_shown_from,
        critics=tuple(personas[name] for name in critics),
        prompts={name: prompts.source(name) for name in (TAKE, REASK)},
        prompts_digest=prompts.digest,
    )
    site = Path(folder)
    # One cache for each folder and store: a folder may be built from several stores in turn.
    key = f"{site.absolute()}\n{resolved.database}".encode("utf-8", "surrogateescape")
    cache = resolved.data_dir / "sites" / f"{hashlib.sha256(key).hexdigest()[:16]}.db"
    return options, BuildPaths(site, cache)
