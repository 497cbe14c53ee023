"""The SDK's client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.providers.sdk import Caller, http_client, time_limit

if TYPE_CHECKING:
    from panel.providers import Connection

ANSWER_NAME = "panel_answer"
NO_KEY = "not-needed"


def caller(connection: Connection, base_url: str) -> Caller:
    """Return what calls the server, with a client whose own retries are off."""
    import openai

    key = connection.api_key or NO_KEY
    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=time_limit(connection),
        http_client=http_client(openai, connection),
    )
    if connection.provider != "openai":
        # The SDK takes these from the environment; they are OpenAI's, and no other server's business.
        client.organization = client.project = None
    return Caller(connection.provider, openai, client, key)
