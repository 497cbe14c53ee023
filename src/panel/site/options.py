"""What a site is told about itself: plain values, read from nowhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from panel.core.base import Frozen, digest_of
from panel.core.persona import Persona

OFF, OWN = "off", "panel"
"""Where readers sign up for the newsletter: nowhere, or with panel's own public server."""


class PromptText(Frozen):
    """A prompt as it is in force.

    Attributes:
        name: such as `take`.
        text: the template.
    """

    name: str
    text: str


class SiteOptions(Frozen):
    """What a site is told about itself.

    Attributes:
        url: where it will be, without a slash at its end: `https://reviews.example`.
        name: what its pages call it.
        generator: the program and its version.
        newsletter: `off`, `panel`, or the address that the sign-up form is sent to.
        voting: whether readers may vote.
        shown_from: votes from which a tool's are split into ship and skip.
        critics: the personas, in the order of their pages.
        prompts: what critics are asked with.
        prompts_digest: by which reviews name these prompts.
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
        """The path under which the site lies, with a slash at its end."""
        return f"{urlsplit(self.url).path.rstrip('/')}/"

    @property
    def digest(self) -> str:
        """Digest of all of it."""
        return digest_of(self.model_dump(mode="json"))

    def address(self, path: str) -> str:
        """Return the address of a page or file: `tools/smollm3/` of the site."""
        return f"{self.url.rstrip('/')}/{path}"
