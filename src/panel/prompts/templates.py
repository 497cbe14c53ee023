"""Prompt templates, and the prompts rendered from them.

A template `prompts/NAME.md.j2` has the blocks `system` and `user`; inside `user`, the block `seat` comes last and holds all
differences between the seats of a panel. The listing is inserted once, already encoded, and is never rendered itself.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from panel.core.frozen import digest_of
from panel.core.prompt import Example, Opener, Openers, Probe, Prompt, Scaffold
from panel.errors import InputError
from panel.prompts.answer_json import ANSWER_SCHEMA
from panel.prompts.prompt_fence import derive_fence, fence_listing, quote_reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from panel.core.persona import Persona
    from panel.core.tool import Tool
    from panel.prompts.prompt_fence import Fence

TAKE, REASK, DRAFT = "take", "reask", "draft"
CACHED_LISTINGS = 64
"""Fenced listings to keep: the seats of a panel ask about the same tool one right after the other."""

_NO_TEMPLATE = "no such template; look at the folder named with --prompts"


class PromptBook:
    """Prompts for one kind of model, from folders of templates in order of precedence.

    The fences around listings are derived from the secret. A model too weak for the full prompt gets a short one with a scaffold.
    """

    def __init__(self, folders: Sequence[Path], secret: bytes, *, scaffolded: bool) -> None:
        self._secret = secret
        self._scaffolded = scaffolded
        self._fenced = lru_cache(CACHED_LISTINGS)(self._fence)
        self._loader = jinja2.FileSystemLoader(folders)
        self._environment = ImmutableSandboxedEnvironment(
            loader=self._loader,
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    @cached_property
    def digest(self) -> str:
        """Sha256 of the templates in use."""
        names = (DRAFT,) if self._scaffolded else (TAKE, REASK)
        return digest_of([self.source(name) for name in names])

    def take(self, tool: Tool, persona: Persona) -> Prompt:
        """Return the first prompt to a seat; raise InputError if the template or the persona cannot be used."""
        fence, listing = self._fenced(tool)
        datamark = not self._scaffolded
        values = {"persona": persona, "guard": fence, "datamark": datamark, "listing": listing}
        name = DRAFT if self._scaffolded else TAKE
        system, user, seat = (self._render(name, values, block) for block in ("system", "user", "seat"))
        shared = user.removesuffix(seat)
        if listing not in shared:
            message = "must show {{ listing }} in the block 'user', before the block 'seat'"
            raise _template_error(name, message)
        if datamark and fence.canary not in system:
            message = "must name {{ guard.canary }} in the block 'system'; a reply that repeats it is refused"
            raise _template_error(name, message)
        return Prompt(
            label=f"{tool.slug}.{persona.id}",
            system=system,
            shared=shared,
            own=seat,
            answer_schema=ANSWER_SCHEMA,
            canary=fence.canary if datamark else None,
            mark=fence.mark if datamark else None,
            scaffold=self._scaffold(tool, persona) if self._scaffolded else None,
        )

    def reask(self, tool: Tool, persona: Persona, reply: str, problems: Sequence[str]) -> Prompt:
        """Return the prompt that names the problems of a reply; the embedded model gets the first prompt again, with `ask` 2."""
        prompt = self.take(tool, persona)
        if self._scaffolded:
            return prompt.model_copy(update={"ask": 2})
        quoted = quote_reply(reply, self._fenced(tool)[0]) if reply else ""
        addition = self._render(REASK, {"reply": quoted, "problems": list(problems)})
        return prompt.model_copy(update={"ask": 2, "own": f"{prompt.own}\n\n{addition}"})

    def source(self, name: str) -> str:
        """Return the text of a template; raise InputError if it does not exist or cannot be read."""
        try:
            return self._loader.get_source(self._environment, _file_name(name))[0]
        except jinja2.TemplateNotFound as error:
            raise _template_error(name, _NO_TEMPLATE) from error
        except (OSError, ValueError) as error:
            raise _template_error(name, f"cannot be read: {error}") from error

    def _fence(self, tool: Tool) -> tuple[Fence, str]:
        fence = derive_fence(tool, self._secret)
        return fence, fence_listing(tool, fence, datamark=not self._scaffolded)

    def _scaffold(self, tool: Tool, persona: Persona) -> Scaffold:
        own = persona.scaffold
        if own is None:
            message = "scaffold: missing; the embedded model cannot write as this persona without one"
            raise InputError.at(f"{persona.id}.md", message)
        sentence, lesson, examples = (
            self._render(DRAFT, {}, block) for block in ("sentence", "lesson", "examples")
        )

        def filled(line: str) -> str:
            return line.replace("{name}", tool.name).replace("{category}", tool.category or "software")

        def filled_openers(openers: Sequence[Opener]) -> tuple[Opener, ...]:
            return tuple(Opener(about=one.about, words=filled(one.words)) for one in openers)

        strong, weak = own.strong or own.favourable, own.weak or own.unfavourable
        parts = (tool.name, tool.tagline, tool.category, tool.pricing, tool.description)
        return Scaffold(
            whole=Probe(text=filled(own.probe), favourable=own.favourable, unfavourable=own.unfavourable),
            sentence=Probe(text=sentence, favourable=strong, unfavourable=weak),
            openers=Openers(ship=filled_openers(own.openers.ship), skip=filled_openers(own.openers.skip)),
            lesson=lesson,
            examples=tuple(map(_example, examples.splitlines())),
            name=tool.name,
            source=". ".join(filter(None, parts)),
            prose=tool.description,
            calibration=persona.calibration,
        )

    def _render(self, name: str, values: dict[str, Any], block: str | None = None) -> str:
        try:
            template = self._environment.get_template(_file_name(name))
            render = template.blocks[block] if block else template.root_render_func
            return "".join(render(template.new_context(values))).strip()
        except KeyError:
            raise _template_error(name, f"the block {block!r} is missing; add it") from None
        except jinja2.TemplateNotFound as error:
            raise _template_error(name, _NO_TEMPLATE) from error
        except jinja2.TemplateSyntaxError as error:
            raise _template_error(name, f"{error.message}", error.lineno) from error
        except Exception as error:
            # A template is a program of the user and can raise anything.
            raise _template_error(name, f"cannot be rendered: {error}") from error


def _file_name(name: str) -> str:
    return f"{name}.md.j2"


def _template_error(name: str, message: str, line: int | None = None) -> InputError:
    return InputError.at(_file_name(name), message, line)


def _example(line: str) -> Example:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) != len(Example.model_fields):
        raise _template_error(DRAFT, f"block examples: expected fact | first words | rest, got {line!r}")
    fact, opener, rest = parts
    return Example(fact=fact, opener=opener, rest=rest)
