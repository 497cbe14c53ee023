"""Prompt templates, and the questions made of them.

A template `prompts/NAME.md.j2` has the blocks `system` and `user`; inside `user`, the block `seat` comes last and holds all that
differs between the seats of one panel. The listing is put in once, as data that is already encoded, and is never rendered again.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from panel.core.base import digest_of
from panel.core.prompt import Example, Openers, Probe, Prompt, Scaffold
from panel.errors import InputError, Problem
from panel.prompts.answer_schema import ANSWER_SCHEMA
from panel.prompts.prompt_fence import guard_for, listing_block, quoted_reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from panel.core.persona import Persona
    from panel.core.prompt import Opener
    from panel.core.tool import Tool
    from panel.prompts.prompt_fence import Fence

PATTERN = "*.md.j2"
TAKE, REASK, DRAFT = "take", "reask", "draft"
FENCED_LISTINGS = 64
"""Listings that are kept ready for the seats of their panels, which mostly ask one right after the other."""


class PromptBook:
    """Makes questions for one kind of model.

    Args:
        folders: where templates are looked up, in this order.
        secret: key from which the fences around listings are derived.
        scaffolded: make the short question with a scaffold, for a model too weak for the full one.
    """

    def __init__(self, folders: Sequence[Path], secret: bytes, *, scaffolded: bool) -> None:
        self._secret = secret
        self._scaffolded = scaffolded
        self._fenced = lru_cache(FENCED_LISTINGS)(self._fence)
        self._environment = ImmutableSandboxedEnvironment(
            loader=jinja2.FileSystemLoader(folders),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    @cached_property
    def digest(self) -> str:
        """The sha256 of the templates in use."""
        names = (DRAFT,) if self._scaffolded else (TAKE, REASK)
        return digest_of([self.source(name) for name in names])

    def take(self, tool: Tool, persona: Persona) -> Prompt:
        """Return the question that a seat is asked first."""
        guard, listing = self._fenced(tool)
        datamark = not self._scaffolded
        values = {"persona": persona, "guard": guard, "datamark": datamark, "listing": listing}
        name = DRAFT if self._scaffolded else TAKE
        system, user, seat = (self._render(name, values, block) for block in ("system", "user", "seat"))
        shared = user.removesuffix(seat)
        if listing not in shared:
            problem = "must show {{ listing }} in the block 'user', before the block 'seat'"
            raise InputError([Problem(f"{name}.md.j2", problem)])
        if datamark and guard.canary not in system:
            problem = "must name {{ guard.canary }} in the block 'system'; a reply that repeats it is refused"
            raise InputError([Problem(f"{name}.md.j2", problem)])
        return Prompt(
            label=f"{tool.slug}.{persona.id}",
            system=system,
            shared=shared,
            own=seat,
            answer_schema=ANSWER_SCHEMA,
            canary=guard.canary if datamark else None,
            mark=guard.mark if datamark else None,
            scaffold=self._scaffold(tool, persona) if self._scaffolded else None,
        )

    def reask(self, tool: Tool, persona: Persona, reply: str, problems: Sequence[str]) -> Prompt:
        """Return the question that follows a reply that could not be used; a scaffold's draw is just made anew."""
        question = self.take(tool, persona)
        if self._scaffolded:
            return question.model_copy(update={"ask": 2})
        quoted = quoted_reply(reply, self._fenced(tool)[0]) if reply else ""
        addition = self._render(REASK, {"reply": quoted, "problems": list(problems)})
        return question.model_copy(update={"ask": 2, "own": f"{question.own}\n\n{addition}"})

    def _fence(self, tool: Tool) -> tuple[Fence, str]:
        guard = guard_for(tool, self._secret)
        return guard, listing_block(tool, guard, datamark=not self._scaffolded)

    def _scaffold(self, tool: Tool, persona: Persona) -> Scaffold:
        own = persona.scaffold
        if own is None:
            problem = "scaffold: missing; the embedded model cannot write as this persona without one"
            raise InputError([Problem(f"{persona.id}.md", problem)])
        sentence, lesson, examples = (
            self._render(DRAFT, {}, block) for block in ("sentence", "lesson", "examples")
        )

        def about(line: str) -> str:
            return line.replace("{name}", tool.name).replace("{category}", tool.category or "software")

        def opened(openers: Sequence[Opener]) -> tuple[Opener, ...]:
            return tuple(one.model_copy(update={"words": about(one.words)}) for one in openers)

        return Scaffold(
            whole=Probe(text=about(own.probe), favourable=own.favourable, unfavourable=own.unfavourable),
            sentence=Probe(
                text=sentence,
                favourable=own.strong or own.favourable,
                unfavourable=own.weak or own.unfavourable,
            ),
            openers=Openers(ship=opened(own.openers.ship), skip=opened(own.openers.skip)),
            lesson=lesson,
            examples=_examples(f"{DRAFT}.md.j2", examples),
            name=tool.name,
            source=". ".join(
                filter(None, (tool.name, tool.tagline, tool.category, tool.pricing, tool.description))
            ),
            prose=tool.description,
            calibration=persona.calibration,
        )

    def _render(self, name: str, values: dict[str, Any], block: str | None = None) -> str:
        file = f"{name}.md.j2"
        try:
            template = self._environment.get_template(file)
            render = template.blocks[block] if block else template.root_render_func
            return "".join(render(template.new_context(values))).strip()
        except KeyError:
            raise InputError([Problem(file, f"the block {block!r} is missing")]) from None
        except jinja2.TemplateNotFound as error:
            raise InputError([Problem(file, "the template was not found")]) from error
        except jinja2.TemplateSyntaxError as error:
            raise InputError([Problem(file, f"{error.message}", line=error.lineno)]) from error
        except Exception as error:
            # A template is somebody's program: it can fail in any way.
            raise InputError([Problem(file, f"cannot be rendered: {error}")]) from error

    def source(self, name: str) -> str:
        """Return the text of a template.

        Raises:
            InputError: there is none of this name, or it cannot be read.
        """
        try:
            return self._environment.loader.get_source(self._environment, f"{name}.md.j2")[0]  # type: ignore[union-attr]  # set above
        except jinja2.TemplateNotFound as error:
            raise InputError([Problem(f"{name}.md.j2", "the template was not found")]) from error
        except (OSError, ValueError) as error:
            raise InputError([Problem(f"{name}.md.j2", f"cannot be read: {error}")]) from error


def _examples(file: str, block: str) -> tuple[Example, ...]:
    examples = []
    for line in block.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != len(Example.model_fields):
            raise InputError(
                [Problem(file, f"block examples: expected fact | first words | rest, got {line!r}")]
            )
        examples.append(Example(fact=parts[0], opener=parts[1], rest=parts[2]))
    return tuple(examples)
