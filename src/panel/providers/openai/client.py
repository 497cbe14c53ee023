"""The SDK's client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.providers.sdk import Caller, http_client, time_limit

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from panel.providers import Connection

ANSWER_NAME = "panel_answer"
NO_KEY = "not-needed"


def open_client(connection: Connection, base_url: str) -> tuple[AsyncOpenAI, Caller]:
    """Return a client whose own retries are off, and what calls it."""
    import openai

    key = connection.api_key or NO_KEY
    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=time_limit(connection),
        http_client=http_client(openai, connection),
    )
    return client, Caller(connection.provider, openai, key)
