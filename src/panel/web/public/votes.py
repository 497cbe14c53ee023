"""Readers' votes over HTTP: for the pages' script as JSON, and for browsers without it as a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from panel.core.take import Verdict
from panel.site.renderer import votes_line
from panel.web.public.forms import form_of
from panel.web.public.limits import OF_ADDRESS, OF_READER
from panel.web.public.pages import Back, Button, reader_page
from panel.web.public.voter import hashed, keep_voter, new_voter, voter_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from panel.core.votes import Votes
    from panel.web.public.services import PublicServices

WITHDRAW = "withdraw"
MOST_SLUGS = 20
_CHOICES = {**{str(verdict): verdict for verdict in Verdict}, WITHDRAW: None}
_FRESH = {"cache-control": "no-store"}


def routes(services: PublicServices) -> list[Route]:
    """Return where votes are cast and counted."""
    desk = _Desk(services)
    return [
        Route("/vote/{slug}", desk.vote, methods=["POST"]),
        Route("/vote/{slug}", desk.mine),
        Route("/votes", desk.votes),
    ]


class _Desk:
    def __init__(self, services: PublicServices) -> None:
        self._services = services

    async def vote(self, request: Request) -> Response:
        """Count a reader's vote."""
        services, slug = self._services, request.path_params["slug"]
        if not services.voting:
            raise HTTPException(404, "Votes are not counted on this site.")
        choice = await _choice(request)
        address = services.address(request)
        voter = voter_of(request, services.secret)
        services.limits.check(OF_ADDRESS, "address", address)
        services.limits.check(OF_READER, "voter", voter or address)
        number = voter or new_voter()
        await services.store.votes.cast(slug, hashed(number), choice, address)
        response = await self._answer(request, slug, number)
        if voter is None and choice:
            keep_voter(request, response, number, services.secret)
        return response

    async def mine(self, request: Request) -> Response:
        """Show a browser without scripts what became of its vote."""
        slug = request.path_params["slug"]
        counts = await self._services.store.votes.counts([slug])
        if slug not in counts:
            raise HTTPException(404)
        back = Back(f"../tools/{slug}/#community", "Back to the review")
        line = votes_line(counts[slug], self._services.shown_from)
        line = f"{line}. The page of the review has the votes that were there when it was built."
        voter = voter_of(request, self._services.secret)
        mine = (
            (await self._services.store.votes.by_reader(hashed(voter), [slug])).get(slug) if voter else None
        )
        if mine is None:
            return reader_page("No vote of yours is kept", line, back)
        button = Button("Take my vote back", slug, "verdict", WITHDRAW)
        return reader_page(f"You voted {mine}", line, back, button=button)

    async def votes(self, request: Request) -> Response:
        """Tell the votes on some tools."""
        slugs = [slug for slug in request.query_params.get("tools", "").split(",") if slug]
        if not slugs or len(slugs) > MOST_SLUGS:
            raise HTTPException(400, f"Name 1 to {MOST_SLUGS} tools, as ?tools=a,b.")
        return JSONResponse(await self._told(request, slugs), headers=_FRESH)

    async def _answer(self, request: Request, slug: str, number: str) -> Response:
        if not is_script(request):
            return RedirectResponse(slug, 303)
        told = await self._told(request, [slug], number)
        return JSONResponse(told[slug], headers=_FRESH)

    async def _told(self, request: Request, slugs: list[str], number: str | None = None) -> dict[str, Any]:
        store, services = self._services.store, self._services
        counts = await store.votes.counts(slugs)
        voter = number or voter_of(request, services.secret)
        mine = await store.votes.by_reader(hashed(voter), slugs) if voter else {}
        return {
            slug: {"slug": slug, **_counted(counts[slug], services.shown_from), "mine": mine.get(slug)}
            for slug in slugs
            if slug in counts
        }


def is_script(request: Request) -> bool:
    """Whether a page's script asks, which wants JSON."""
    return "application/json" in request.headers.get("accept", "")


def _counted(votes: Votes, shown_from: int) -> dict[str, int | None]:
    split = votes.total >= shown_from
    return {
        "total": votes.total,
        "ships": votes.ships if split else None,
        "skips": votes.skips if split else None,
    }


async def _choice(request: Request) -> Verdict | None:
    chosen = (await form_of(request)).get("verdict", [])
    if len(chosen) != 1 or chosen[0] not in _CHOICES:
        raise HTTPException(400, f"A vote is one of {', '.join(_CHOICES)}.")
    return _CHOICES[chosen[0]]
