"""One draft before its reader: shown, asked about, and let go once it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.approval import StaleDraft
from panel.checks import allowed_resolutions
from panel.cli.console import tell, width
from panel.cli.queue.asking import asked, typed
from panel.cli.queue.correcting import visit_form
from panel.cli.queue.desk import require, require_finished
from panel.cli.queue.rerun import replace
from panel.cli.queue.tick import tick_of
from panel.cli.queue.told import outcome
from panel.cli.queue.walk import Left
from panel.cli.queue.words import draft_lines, numbered
from panel.cli.rows import labelled
from panel.core.draft_state import Action, State, as_opened
from panel.errors import InputError, PanelError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.approval import DraftView
    from panel.cli.queue.desk import Desk
    from panel.cli.queue.words import Numbered
    from panel.core.actor import Actor

KEYS = "[a]pprove [e]dit [t]ick [r]eject [c]hanges [g] again [s]kip [u]ndo [q]uit [?]"
SENT_BACK = "[o]pen it again "
WORDS = ("approve", "edit", "tick", "reject", "changes", "g", "skip", "undo", "quit", "?", "open")
EXPLAINED = """a: approve it in your name, if nothing stands in the way
e: correct takes, scores, verdicts, quotes, facts and the price class in your editor
t: deal with each finding: supported by a source, an opinion, or cut with an edit
r: reject it, and say why
c: request changes, and say which
g: ask one persona again; its take so far is kept in the history
s: leave it as it is, and go on
u: take back what was done last
o: open one again that was sent back, to approve it as it is
q: leave"""
ANSWERS = ("supported", "opinion", "edit", "later", "quit")


class Before:
    """A draft before its reader.

    Args:
        at: what commands of the queue work with.
        actor: who reads it.
        draft: its number.
        say: prints what is read.
    """

    def __init__(self, at: Desk, actor: Actor, draft: int, say: Callable[[str], None]) -> None:
        self._at = at
        self._actor = actor
        self._draft = draft
        self._say = say
        self._read = ""

    def decided(self) -> None:
        """Have the draft read until something is decided about it or it is passed over.

        Raises:
            Left: whoever reads it wants to leave.
            StorageError: the store cannot be used.
        """
        with self._at.held(self._draft, self._actor) as held:
            if held.lock is not None and not held.lock.is_of(self._actor.name):
                return  # somebody was faster
            self._show(held)
            view = held
            while not self._stepped(view):
                view = self._at.claimed(self._draft, self._actor)
                if view.hash != self._read:
                    tell("Somebody changed it meanwhile.")
                    self._show(view)

    def _show(self, view: DraftView) -> None:
        self._read = view.hash
        self._say("\n".join(draft_lines(view, width())))

    def _show_again(self, before: DraftView) -> None:
        """Show the draft if what is shown has changed, and in any case where it stands."""
        view = self._at.view(self._draft)
        if view.shown.hash != before.shown.hash:
            self._show(view)
        self._read = view.hash
        tell(outcome(view))

    def _stepped(self, view: DraftView) -> bool:
        """Do what is asked for next; return whether the draft is done with. What is refused is told."""
        try:
            return self._step(view)
        except StorageError:
            raise
        except StaleDraft as error:
            tell(str(error))
            self._show(self._at.view(self._draft))
        except PanelError as error:
            tell(str(error))
        return False

    def _step(self, view: DraftView) -> bool:
        keys = f"{SENT_BACK if view.current.state is State.CHANGES_REQUESTED else ''}{KEYS}"
        word = asked(keys, *WORDS)
        if word in {None, "quit"}:
            raise Left
        if word == "?":
            tell(EXPLAINED)
        elif word not in {"skip", "approve", "changes", "reject"}:
            self._work(view, str(word))
            self._show_again(view)
        else:
            self._decide(view, str(word))
            return True
        return False

    def _decide(self, view: DraftView, word: str) -> None:
        if word == "skip":
            return
        if word == "approve":
            require_finished(view, self._actor)
            self._at.do(view, Action.APPROVE, self._actor)
        elif word == "changes":
            require(view, Action.REQUEST_CHANGES, self._actor, as_opened(view.current), reason="any")
            reason = _line("What should change?")
            self._at.do(view, Action.REQUEST_CHANGES, self._actor, reason=reason)
        else:
            require(view, Action.REJECT, self._actor, view.current, reason="any")
            self._at.do(view, Action.REJECT, self._actor, reason=_line("Why?"))
        tell(outcome(self._at.view(self._draft)))

    def _work(self, view: DraftView, word: str) -> None:
        """Do what leaves the draft before its reader."""
        if word == "edit":
            visit_form(self._at, view, self._actor)
        elif word == "tick":
            self._tick(view)
        elif word == "g":
            seats = ", ".join(seat.persona for seat in view.shown.review.seats)
            if persona := typed(f"Whom? {seats}:"):
                replace(self._at, view, self._actor, persona)
        else:
            self._at.do(view, Action.UNDO if word == "undo" else Action.OPEN, self._actor)

    def _tick(self, view: DraftView) -> None:
        """Ask about each finding that is left."""
        left = [note for note in numbered(view) if note.finding in [each.finding for each in view.unresolved]]
        if not left:
            tell("Nothing is left to deal with.")
        for note in left:
            while not self._dealt_with(note):
                pass

    def _dealt_with(self, note: Numbered) -> bool:
        """Ask about a finding; return whether that was answered in a way that can be used."""
        view = self._at.view(self._draft)
        if note.finding not in [each.finding for each in view.unresolved]:
            return True  # an edit has cut it
        said = f"[{note.number}] {note.whose}: {note.what}. {note.finding.note}"
        tell("\n".join(labelled("", said, 0, width())))
        resolvable = allowed_resolutions(note.finding)
        ways = "[s]upported by a source [o]pinion " if resolvable else ""
        answer = asked(f"{ways}[e]dit or cut [l]ater [q]uit:", *(ANSWERS if resolvable else ANSWERS[2:]))
        if answer in {None, "quit"}:
            raise Left
        return answer == "later" or self._dealt(view, note, str(answer))

    def _dealt(self, view: DraftView, note: Numbered, answer: str) -> bool:
        try:
            if answer == "edit":
                visit_form(self._at, view, self._actor)
            else:
                source = _line("Address of the page that supports it:") if answer == "supported" else None
                self._at.do(view, Action.RESOLVE, self._actor, resolution=tick_of(note, source))
        except InputError as error:
            tell(str(error))
            return False
        return True


def _line(question: str) -> str:
    line = typed(question)
    if line is None:
        raise Left
    return line
