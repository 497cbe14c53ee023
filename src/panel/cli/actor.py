"""The person who works with drafts in this terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.actor import Actor, Role
from panel.errors import GateError, SettingsError

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved
    from panel.store import Store

NO_EDITOR = "say who you are, as pages will print it: set PANEL_EDITOR, or `editor: NAME` in panel.yaml"


async def current_actor(resolved: Resolved, store: Store) -> Actor:
    """Return the editor of the settings with the role of their account; without accounts they may do everything.

    Raises:
        SettingsError: the settings name no editor.
        GateError: there are accounts, but none of this name that may be used.
    """
    name = resolved.settings.editor
    if name is None:
        raise SettingsError(NO_EDITOR)
    if not await store.users.all():
        return Actor(name=name, role=Role.PUBLISHER)
    user = await store.users.get(name)
    if user is None or user.disabled_at is not None:
        why = "there is no account" if user is None else "the account was disabled"
        raise GateError(f"{name}: {why}; `panel users list` shows who may work with drafts")
    return user.actor
