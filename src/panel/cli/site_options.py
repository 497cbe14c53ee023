"""What the settings say about the published site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel import __version__
from panel.errors import SettingsError
from panel.orchestrator.setup import available_personas
from panel.prompts.folders import shipped, templates_folder
from panel.prompts.persona_files import seat_roster
from panel.prompts.templates import REASK, TAKE, PromptBook
from panel.site.options import PromptText, SiteOptions

if TYPE_CHECKING:
    from panel.core.persona import Persona
    from panel.settings.resolve import Resolved


def site_options(resolved: Resolved) -> SiteOptions:
    """Return what the site is told about itself.

    Raises:
        PanelError: its address is missing, or a persona or a prompt cannot be read.
    """
    settings = resolved.settings
    texts = _prompts(resolved)
    return SiteOptions(
        url=_url(settings.site_url),
        name=settings.site_name,
        generator=f"panel {__version__}",
        newsletter=settings.newsletter,
        voting=settings.voting,
        shown_from=settings.votes_shown_from,
        critics=_critics(resolved),
        prompts=tuple(PromptText(name=name, text=texts.source(name)) for name in (TAKE, REASK)),
        prompts_digest=texts.digest,
    )


def _url(url: str | None) -> str:
    if url is None:
        raise SettingsError(
            "site_url: not set; say where the site will be read, with --site-url https://reviews.example.org or in panel.yaml"
        )
    return url


def _critics(resolved: Resolved) -> tuple[Persona, ...]:
    """Return all critics, those of the roster first, in its order."""
    known = available_personas(resolved)
    names = [entry.partition("=")[0].strip() for entry in resolved.settings.roster]
    ordered = dict.fromkeys([*(persona.id for persona in seat_roster(known, names)), *known])
    return tuple(known[name] for name in ordered)


def _prompts(resolved: Resolved) -> PromptBook:
    folder = templates_folder(resolved.settings.prompts)
    return PromptBook([folder, shipped("prompts")], b"", scaffolded=False)
