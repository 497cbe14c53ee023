"""An action that a person wants to take with a draft, and the version that they were shown."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, ValidationError, model_validator

from panel.core.actor import Actor
from panel.core.draft_edits import Change, persona_of, value_text
from panel.core.draft_state import Action
from panel.core.finding import Resolution, ResolutionKind
from panel.core.frozen import Frozen
from panel.core.text import prose
from panel.errors import GateError, InputError, Problem


class DraftCommand(Frozen):
    """An action that a person wants to take with a draft.

    Attributes:
        seen: `EditedReview.hash` of the version that they were shown.
        seen_resolutions: `DraftState.resolutions_digest` of it. An approval is refused if findings were resolved in another way since;
            None to approve whatever the resolutions are.
        reason: required to request changes, to reject and to retract.
        changes: of an edit, and required there. Values that are shown already are left out.
        resolution: of a resolution, and required there.
        persona: the seat that is asked again, and required for that.
        undoes: index of the event that an undo is meant for; None for the latest.
    """

    action: Action
    actor: Actor
    seen: str
    seen_resolutions: str | None = None
    reason: Annotated[str | None, AfterValidator(lambda reason: prose(reason or "") or None)] = None
    changes: tuple[Change, ...] = ()
    resolution: Resolution | None = None
    persona: str | None = None
    undoes: int | None = None

    @model_validator(mode="after")
    def _has_its_parts(self) -> Self:
        parts = {Action.EDIT: self.changes, Action.RESOLVE: self.resolution, Action.RERUN_SEAT: self.persona}
        if any(bool(part) != (action is self.action) for action, part in parts.items()):
            raise ValueError(
                "nothing was changed; edit something, then save it"
                if self.action is Action.EDIT and not self.changes
                else "a part of the form is missing; open the draft again, then send it once more"
            )
        return self

    @property
    def written(self) -> str:
        """The texts that the person wrote, one a line; empty if there are none."""
        texts = [
            f"{persona_of(each) or 'tool'}, {each.field}: {value_text(each.model_dump(mode='json')['value'])}"
            for each in self.changes
        ]
        return "\n".join([*texts, *([f"reason: {self.reason}"] if self.reason else [])])


def parse_resolution(finding: str, kind: str, source: str | None, field: str = "source") -> Resolution:
    """Return the resolution of a finding, by its id, as a person wrote it down; the source counts for `supported` alone, and errors name `field`.

    Raises:
        InputError: the kind is unknown, or the source is not the address of a public page.
    """
    source = (source or "").strip() if kind == ResolutionKind.SUPPORTED else None
    if source == "":
        raise InputError([Problem(field, "give the address of a page that supports it")])
    try:
        return Resolution.model_validate({"finding": finding, "kind": kind, "source": source})
    except ValidationError as error:
        raise InputError(
            Problem(field, each["msg"].removeprefix("Value error, ")) for each in error.errors()
        ) from None


class StaleDraft(GateError):
    """The draft was changed after it was shown to the person who wants to change it.

    Attributes:
        shown: `EditedReview.hash` of the version that is shown now.
        written: the texts that the person wrote, to be given back to them; empty if there are none.
    """

    def __init__(self, message: str, shown: str, written: str) -> None:
        super().__init__(f"{message}\nWhat you wrote:\n{written}" if written else message)
        self.message = message
        self.shown = shown
        self.written = written
