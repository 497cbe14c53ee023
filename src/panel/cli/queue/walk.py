"""The interactive walk of `panel queue next` through the drafts that wait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from panel.approval import StaleDraft, check_allowed, outcome_message, parse_resolution, state_message
from panel.cli.console import labelled, plain_result, result, tell, width
from panel.cli.queue.form import edit_draft
from panel.cli.queue.rendering import draft_text, outcome_data
from panel.cli.queue.session import ask_choice, ask_line
from panel.core.draft_state import Action, State
from panel.core.finding import ResolutionKind
from panel.core.text import one_line
from panel.errors import InputError, PanelError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.approval import DraftView, NumberedFinding
    from panel.cli.queue.session import QueueSession

KEYS = "[a]pprove [e]dit [f]indings [r]eject [c]hange a[g]ain [s]kip [u]ndo [q]uit [?]"
REOPEN_KEY = "[o]pen it again "
WORDS = ("approve", "edit", "findings", "reject", "change", "g", "skip", "undo", "quit", "?", "open")
HELP = """a: approve it in your name, once every finding is resolved
e: correct takes, scores, verdicts, quotes, facts and the price class in your editor
f: resolve each finding: a source supports it, it is an opinion, or cut it with an edit
r: reject it, with a reason
c: request changes, and say which
g: ask one persona again; its earlier take is kept in the history
s: skip it, and go on
u: undo the last step
o: reopen a draft that was sent back, to approve it as it is
q: leave"""
# An action that ends the review of a draft, and the question for its reason.
_DECISIONS = {
    "approve": (Action.APPROVE, None),
    "change": (Action.REQUEST_CHANGES, "What should change?"),
    "reject": (Action.REJECT, "Why?"),
}
_WAYS = {ResolutionKind.SUPPORTED: "[s]upported by a source", ResolutionKind.OPINION: "[o]pinion"}


class WalkEnded(Exception):
    """The person wants to leave the walk."""


def walk_queue(session: QueueSession, *, as_json: bool) -> None:
    """Show the drafts that wait, one after the other, until a decision is made about each or it is skipped.

    With `as_json` stdout has a line for each draft, and the text goes to stderr.
    """
    service, actor = session.service, session.actor
    say = tell if as_json else plain_result
    passed: set[int] = set()
    try:
        while (draft := session.run(service.next_draft(actor, passed.copy()))) is not None:
            passed.add(draft)
            try:
                DraftWalk(session, draft, say).run()
            finally:
                if as_json:
                    result(json.dumps(outcome_data(session.view(draft)), ensure_ascii=False))
    except WalkEnded:
        return
    say("No more drafts wait." if passed else "No drafts wait.")


class DraftWalk:
    """Interactive review of one draft."""

    def __init__(self, session: QueueSession, draft: int, say: Callable[[str], None]) -> None:
        self._session = session
        self._draft = draft
        self._say = say
        self._shown_hash = ""

    def run(self) -> None:
        """Ask for actions until a decision is made or the draft is skipped.

        Raises:
            WalkEnded: the person wants to leave the walk.
            StorageError: the store cannot be used.
        """
        session = self._session
        with session.locked(self._draft) as view:
            if not view.is_free_for(session.actor):
                return  # another person was faster
            self._show(view)
            while not self._step(view):
                view = session.run(session.service.lock(self._draft, session.actor))  # noqa: PLW2901 - renewed
                if view.hash != self._shown_hash:
                    tell("Somebody changed it meanwhile.")
                    self._show(view)

    def _show(self, view: DraftView) -> None:
        self._shown_hash = view.hash
        self._say(draft_text(view))

    def _step(self, view: DraftView) -> bool:
        """Take the next action, and return whether the person is done with the draft. Refusals are printed."""
        try:
            return self._take_action(view)
        except StorageError:
            raise
        except PanelError as error:
            tell(str(error))
            if isinstance(error, StaleDraft):
                self._show(self._session.view(self._draft))
        return False

    def _take_action(self, view: DraftView) -> bool:
        reopen = REOPEN_KEY if view.state is State.CHANGES_REQUESTED else ""
        match ask_choice(f"{reopen}{KEYS}", *WORDS):
            case None | "quit":
                raise WalkEnded
            case "?":
                tell(HELP)
                return False
            case "skip":
                return True
            case ("approve" | "change" | "reject") as word:
                action, question = _DECISIONS[word]
                check_allowed(view, action, self._session.actor)
                reason = _answer(question) if question else None
                tell(outcome_message(self._session.execute(view, action, reason=reason), action))
                return True
            case "edit":
                edit_draft(self._session, view)
            case "findings":
                self._resolve_findings(view)
            case "g":
                seats = ", ".join(seat.persona for seat in view.shown.review.seats)
                if persona := ask_line(f"Which critic? {seats}:"):
                    self._session.execute(view, Action.RERUN_SEAT, persona=persona.lower())
            case word:
                self._session.execute(view, Action.UNDO if word == "undo" else Action.OPEN)
        after = self._session.view(self._draft)
        if after.shown.hash != view.shown.hash:
            self._show(after)
        self._shown_hash = after.hash
        tell(state_message(after))
        return False

    def _resolve_findings(self, view: DraftView) -> None:
        if not view.unresolved:
            tell("Every finding is resolved.")
        for each in view.unresolved:
            is_settled = False
            while not is_settled:
                try:
                    self._settle(each)
                    is_settled = True
                except InputError as error:
                    tell(str(error))

    def _settle(self, each: NumberedFinding) -> None:
        """Ask how a finding is settled, and do that.

        Raises:
            InputError: the answer cannot be used.
        """
        view = self._session.view(self._draft)
        if each.finding not in [left.finding for left in view.unresolved]:
            return  # an edit has cut it
        words = f"[{each.number}] {each.place_name}: {each.title}. {each.status}"
        tell("\n".join(labelled("", words, 0, width())))
        ways = " ".join([*(_WAYS[kind] for kind in each.allowed), "[e]dit or cut [l]ater [q]uit:"])
        match ask_choice(ways, *each.allowed, "edit", "later", "quit"):
            case None | "quit":
                raise WalkEnded
            case "later":
                return
            case "edit":
                edit_draft(self._session, view)
            case kind:
                is_supported = kind == ResolutionKind.SUPPORTED
                source = _answer("Address of the page that supports it:") if is_supported else None
                resolution = parse_resolution(each.finding.id, kind, source)
                self._session.execute(view, Action.RESOLVE, resolution=resolution)


def _answer(question: str) -> str:
    line = ask_line(question)
    if line is None:
        raise WalkEnded
    return one_line(line)
