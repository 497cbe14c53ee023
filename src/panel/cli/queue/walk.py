"""The interactive walk of `panel queue next` through the drafts that wait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from panel.approval import StaleDraft, check_allowed, outcome_message, parse_resolution, state_message
from panel.cli.console import plain_result, result, tell, width
from panel.cli.queue.editing import edit_in_editor
from panel.cli.queue.questions import ask_choice, ask_line
from panel.cli.queue.rendering import draft_text, outcome_data
from panel.cli.rows import labelled
from panel.core.draft_state import Action, State
from panel.core.finding import ResolutionKind
from panel.core.text import one_line
from panel.errors import InputError, PanelError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.approval import DraftView, NumberedFinding
    from panel.cli.queue.session import QueueSession
    from panel.core.actor import Actor

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
_QUESTIONS = {Action.REQUEST_CHANGES: "What should change?", Action.REJECT: "Why?"}


class Left(Exception):
    """The person wants to leave the walk."""


def walk_queue(session: QueueSession, *, as_json: bool) -> None:
    """Show the drafts that wait, one after the other, until a decision is made about each or it is skipped.

    With `as_json` stdout has a line for each draft, and the text goes to stderr.
    """
    actor = session.actor()
    say = tell if as_json else plain_result
    passed: set[int] = set()
    try:
        while (draft := session.use(lambda service: service.next_draft(actor, passed.copy()))) is not None:
            passed.add(draft)
            try:
                DraftWalk(session, actor, draft, say).run()
            finally:
                if as_json:
                    result(json.dumps(outcome_data(session.view(draft)), ensure_ascii=False))
    except Left:
        return
    say("No more drafts wait." if passed else "No drafts wait.")


class DraftWalk:
    """Interactive review of one draft."""

    def __init__(self, session: QueueSession, actor: Actor, draft: int, say: Callable[[str], None]) -> None:
        self._session = session
        self._actor = actor
        self._draft = draft
        self._say = say
        self._shown_hash = ""

    def run(self) -> None:
        """Ask for actions until a decision is made or the draft is skipped.

        Raises:
            Left: the person wants to leave the walk.
            StorageError: the store cannot be used.
        """
        with self._session.locked(self._draft, self._actor) as first:
            if not first.is_free_for(self._actor):
                return  # another person was faster
            self._show(view := first)
            while not self._step(view):
                view = self._session.lock(self._draft, self._actor)
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
        except StaleDraft as error:
            tell(str(error))
            self._show(self._session.view(self._draft))
        except PanelError as error:
            tell(str(error))
        return False

    def _take_action(self, view: DraftView) -> bool:
        reopen = REOPEN_KEY if view.state is State.CHANGES_REQUESTED else ""
        match ask_choice(f"{reopen}{KEYS}", *WORDS):
            case None | "quit":
                raise Left
            case "?":
                tell(HELP)
                return False
            case "skip":
                return True
            case "approve":
                return self._decide(view, Action.APPROVE)
            case "change":
                return self._decide(view, Action.REQUEST_CHANGES)
            case "reject":
                return self._decide(view, Action.REJECT)
            case word:
                self._work(view, word)
        after = self._session.view(self._draft)
        if after.shown.hash != view.shown.hash:
            self._show(after)
        self._shown_hash = after.hash
        tell(state_message(after))
        return False

    def _decide(self, view: DraftView, action: Action) -> bool:
        check_allowed(view, action, self._actor)
        reason = _ask(_QUESTIONS[action]) if action in _QUESTIONS else None
        after = self._session.execute(view, action, self._actor, reason=reason)
        tell(outcome_message(after, action))
        return True

    def _work(self, view: DraftView, word: str) -> None:
        """Take an action after which the draft stays in front of the person."""
        if word == "edit":
            edit_in_editor(self._session, view, self._actor)
        elif word == "findings":
            self._resolve_findings(view)
        elif word == "g":
            seats = ", ".join(seat.persona for seat in view.shown.review.seats)
            if persona := ask_line(f"Which critic? {seats}:"):
                self._session.execute(view, Action.RERUN_SEAT, self._actor, persona=persona.lower())
        else:
            action = Action.UNDO if word == "undo" else Action.OPEN
            self._session.execute(view, action, self._actor)

    def _resolve_findings(self, view: DraftView) -> None:
        if not view.unresolved:
            tell("Every finding is resolved.")
        for each in view.unresolved:
            while not self._is_settled(each):
                pass

    def _is_settled(self, each: NumberedFinding) -> bool:
        """Ask about a finding; return False to ask again after an answer that cannot be used."""
        view = self._session.view(self._draft)
        if each.finding not in [left.finding for left in view.unresolved]:
            return True  # an edit has cut it
        tell(
            "\n".join(
                labelled("", f"[{each.number}] {each.place_name}: {each.title}. {each.status}", 0, width())
            )
        )
        ways = {ResolutionKind.SUPPORTED: "[s]upported by a source", ResolutionKind.OPINION: "[o]pinion"}
        offered = " ".join([*(ways[kind] for kind in each.allowed), "[e]dit or cut [l]ater [q]uit:"])
        answer = ask_choice(offered, *each.allowed, "edit", "later", "quit")
        if answer in {None, "quit"}:
            raise Left
        if answer == "later":
            return True
        try:
            self._settle(view, each, str(answer))
        except InputError as error:
            tell(str(error))
            return False
        return True

    def _settle(self, view: DraftView, each: NumberedFinding, answer: str) -> None:
        if answer == "edit":
            edit_in_editor(self._session, view, self._actor)
            return
        source = _ask("Address of the page that supports it:") if answer == "supported" else None
        resolution = parse_resolution(each.finding.id, answer, source)
        self._session.execute(view, Action.RESOLVE, self._actor, resolution=resolution)


def _ask(question: str) -> str:
    line = ask_line(question)
    if line is None:
        raise Left
    return one_line(line)
