"""Options of a site: plain values, read from nowhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from panel.core.base import Frozen, digest_of
from panel.core.persona import Persona

OFF, OWN = "off", "panel"
"""Values of the setting `newsletter`: no sign-up form, or one that panel's own public server answers."""


class PromptText(Frozen):
    """A prompt template that critics are asked with, by its name."""

    name: str
    text: str


class SiteOptions(Frozen):
    """Options of a site.

    Attributes:
        url: public address, without a slash at its end: `https://reviews.example`.
        generator: the program and its version.
        newsletter: `off`, `panel`, or the address of an outside service that the sign-up form is sent to.
        shown_from: number of votes on a tool from which ships and skips are shown apart.
        critics: in the order of their pages.
        prompts_digest: identifies the current prompts in reviews.
    """

    url: str
    name: str
    generator: str
    newsletter: str = OFF
    voting: bool = False
    shown_from: int = 5
    critics: tuple[Persona, ...] = ()
    prompts: tuple[PromptText, ...] = ()
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
