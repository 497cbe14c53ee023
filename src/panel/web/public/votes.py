"""Readers' votes: as JSON for the site's script, as a form and a page for browsers without scripts.

A reader is a random number in a signed cookie; the store has its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from panel.core.take import Verdict
from panel.web.public.requests import Button, Link, message_page, read_reader_form, services_of, wants_json
from panel.web.security import is_loopback

if TYPE_CHECKING:
    from panel.web.public.requests import PublicServices

COOKIE = "panel_voter"
YEAR_SECONDS = 365 * 24 * 3600
READER_LIMIT, ADDRESS_LIMIT = "30 per minute", "120 per minute"
WITHDRAW = "withdraw"
MAX_TOOLS = 20
_NUMBER_BYTES = 16
_CHOICES = {**{str(verdict): verdict for verdict in Verdict}, WITHDRAW: None}
_UNCACHED = {"cache-control": "no-store"}


async def _cast(request: Request) -> Response:
    """Count, change or withdraw a reader's vote."""
    services, slug = services_of(request), request.path_params["slug"]
    if not services.voting:
        raise HTTPException(404, "This site takes no votes.")
    chosen = (await read_reader_form(request)).getlist("verdict")
    if len(chosen) != 1 or chosen[0] not in _CHOICES:
        raise HTTPException(400, f"A vote is one of {', '.join(_CHOICES)}.")
    choice, address = _CHOICES[chosen[0]], services.address_hash(request)
    known = _reader_number(request)
    services.check_limit(ADDRESS_LIMIT, "address", address)
    services.check_limit(READER_LIMIT, "voter", known or address)
    number = known or secrets.token_hex(_NUMBER_BYTES)
    await services.store.votes.cast(slug, _reader_hash(number), choice, address)
    response: Response = RedirectResponse(slug, 303)
    if wants_json(request):
        counts = await _counts(services, [slug], number)
        response = JSONResponse(counts[slug], headers=_UNCACHED)
    if known is None and choice:
        response.set_cookie(
            COOKIE,
            f"{number}.{_signature(number, services.secret)}",
            max_age=YEAR_SECONDS,
            secure=request.url.scheme == "https" or not is_loopback(request.url.hostname or ""),
            httponly=True,
            samesite="lax",
        )
    return response


async def _show_own(request: Request) -> Response:
    """Show a reader their vote on a tool."""
    services, slug, number = services_of(request), request.path_params["slug"], _reader_number(request)
    votes = services.store.votes
    counts = await votes.counts([slug])
    if slug not in counts:
        raise HTTPException(404)
    back = Link(f"../tools/{slug}/#community", "Back to the review")
    text = f"{counts[slug].line(services.shown_from)}. The review's page shows the votes of its last build."
    own = (await votes.by_reader(_reader_hash(number), [slug])).get(slug) if number else None
    if own is None:
        return message_page("You have no vote on this tool", text, back)
    return message_page(
        f"You voted {own}", text, back, button=Button("Withdraw my vote", slug, "verdict", WITHDRAW)
    )


async def _show_counts(request: Request) -> Response:
    """Return the votes on some tools as JSON."""
    slugs = [slug for slug in request.query_params.get("tools", "").split(",") if slug]
    if not slugs or len(slugs) > MAX_TOOLS:
        raise HTTPException(400, f"Name 1 to {MAX_TOOLS} tools, as ?tools=a,b.")
    counts = await _counts(services_of(request), slugs, _reader_number(request))
    return JSONResponse(counts, headers=_UNCACHED)


async def _counts(services: PublicServices, slugs: list[str], number: str | None) -> dict[str, Any]:
    votes, shown_from = services.store.votes, services.shown_from
    own = await votes.by_reader(_reader_hash(number), slugs) if number else {}
    return {
        slug: {
            "slug": slug,
            "total": counts.total,
            "ships": counts.ships if counts.total >= shown_from else None,
            "skips": counts.skips if counts.total >= shown_from else None,
            "mine": own.get(slug),
        }
        for slug, counts in (await votes.counts(slugs)).items()
    }


def _reader_number(request: Request) -> str | None:
    """Return the number in a reader's cookie, or None if this server did not sign it."""
    number, _, signature = request.cookies.get(COOKIE, "").partition(".")
    genuine = hmac.compare_digest(
        signature.encode(), _signature(number, services_of(request).secret).encode()
    )
    return number if number and genuine else None


def _reader_hash(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()


def _signature(number: str, secret: bytes) -> str:
    return hmac.new(secret, b"voter " + number.encode(), hashlib.sha256).hexdigest()


VOTE_ROUTES = (
    Route("/vote/{slug}", _cast, methods=["POST"]),
    Route("/vote/{slug}", _show_own),
    Route("/votes", _show_counts),
)
