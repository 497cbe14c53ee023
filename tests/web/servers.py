"""A store with drafts, and servers for those who work on them, for tests with a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.web.app import create_app
from panel.web.auth import AccessPolicy, SingleUser
from panel.web.server import WebServer, listen
from store.editing import approval, do, drafted
from web.conftest import services_for

if TYPE_CHECKING:
    from contextlib import ExitStack

    from anyio.from_thread import BlockingPortal

    from panel.approval import DraftView
    from panel.core.actor import Actor
    from panel.core.draft_state import State
    from panel.core.review import PanelReview
    from panel.store import Store


class QueueServers:
    """A store with drafts, and the servers of those who work on them."""

    def __init__(self, portal: BlockingPortal, store: Store, stack: ExitStack) -> None:
        self.portal = portal
        self.store = store
        self._stack = stack

    def serve(self, actor: Actor) -> str:
        """Serve somebody, and return where."""
        listener = self._stack.enter_context(listen("127.0.0.1", 0))
        server = WebServer(create_app(services_for(self.store), AccessPolicy(SingleUser(actor))))
        served = self.portal.start_task_soon(lambda: server.serve(sockets=[listener]))

        def stop() -> None:
            server.should_exit = True
            served.result()

        self._stack.callback(stop)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def drafted(self, review: PanelReview) -> int:
        return self.portal.call(drafted, self.store, review)

    def do(self, draft: int, action: str, **parts: Any) -> None:
        self.portal.call(lambda: do(self.store, draft, action, **parts))

    def view(self, draft: int) -> DraftView:
        return self.portal.call(approval(self.store).view, draft)

    def state(self, draft: int) -> State:
        return self.view(draft).current.state

    def kinds(self, draft: int) -> list[str]:
        return [event.kind for event in self.view(draft).history]
