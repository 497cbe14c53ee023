"""What a listing, a model or an editor may write to break a page, looked for in the page as a browser parses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import builders
from panel.core.draft_edits import TextChange
from panel.core.draft_state import Action
from store.editing import OTHER, PLAIN, do, drafted
from validity import HERE, MISSING, html_errors
from web.pages import parsed, wanting

if TYPE_CHECKING:
    from panel.core.review import PanelReview
    from panel.store import Store
    from web.conftest import Browser

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[2] / "fixtures" / "web" / "attacks.jsonl"
ATTACKS = {row["id"]: row["attack"] for row in map(json.loads, FIXTURE.read_text("utf-8").splitlines())}
PAGES = (
    "/",
    "/drafts/1",
    "/drafts/1/page",
    "/drafts/1/history",
    "/?search={attack}&category={attack}&cost={attack}",
)
HARMLESS = "Plain words in its place."


def attacked(words: str) -> PanelReview:
    """Return a review with the same words wherever somebody may write."""
    fields = ("description", "tagline", "category", "pricing", "maker", "license", "best_for")
    of = builders.tool(f"Lantern {words}", aliases=[f"Also {words}"], **dict.fromkeys(fields, f"Or {words}"))
    take = builders.take(text=f"{OTHER} {words}", evidence=(words,))
    made = builders.review(take, builders.no_take(detail=words), of=of)
    seats = tuple(seat.model_copy(update={"name": f"{seat.name} {words}"}) for seat in made.seats)
    return made.model_copy(update={"seats": seats})


def shape(page: Any) -> list[tuple[str, list[str]]]:
    """Return the elements of a page with the names of their attributes; what marks words is left out."""
    marking = {"mark", "br", "p", "li", "ul", "a", "sup", "small", "ins", "del"}
    return [
        (each.tag, sorted(each.attrib))
        for each in page.iter()
        if isinstance(each.tag, str) and each.tag not in marking
    ]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_an_attack_stays_text(attack: str, browser: Browser, store: Store) -> None:
    draft = await drafted(store, attacked(attack))
    change = TextChange(persona="builder", value=f"{OTHER} Edited. {attack}")
    await do(store, draft, "edit", reason=attack, changes=(change,))
    for path in (*PAGES, f"/drafts/{draft}?edit={{attack}}&done={{attack}}&was={{attack}}"):
        answer = await browser.get(path.partition("?")[0], params=_query(path, attack))
        assert answer.status_code == 200
        _check(parsed(answer))


def _query(path: str, attack: str) -> dict[str, str]:
    pairs = (pair.split("=") for pair in path.partition("?")[2].split("&") if pair)
    return {name: value.format(attack=attack) for name, value in pairs}


def _check(page: Any) -> None:
    for script in page.iter("script"):
        assert script.get("src") or script.get("type") == "application/ld+json"
        assert script.get("src") or json.loads(script.text)
    assert not page.xpath("//img|//object|//embed|//base|//*[@srcdoc]")
    for element in page.iter():
        assert not [name for name in element.attrib if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction"):
            address = element.get(name, "/")
            assert address.startswith(("/", "#", "https://", "http://", "?")), address
            assert not address.startswith("//"), address


@pytest.mark.parametrize(
    "attack", [ATTACKS["web-stored-xss-02"], ATTACKS["web-json-ld-01"], ATTACKS["web-markdown-11"]]
)
async def test_an_attack_changes_no_element(attack: str, browser: Browser, store: Store) -> None:
    for words in (attack, HARMLESS):
        await drafted(store, attacked(words))
    hostile, harmless = [parsed(await browser.get(f"/drafts/{number}/history")) for number in (1, 2)]
    assert shape(hostile) == shape(harmless)
    assert attack.split(maxsplit=1)[0] in hostile.text_content()


@pytest.mark.skipif(not HERE, reason=MISSING)
async def test_pages_are_valid_html(browser: Browser, store: Store, tmp_path: Path) -> None:
    for review in (wanting(), *map(attacked, list(ATTACKS.values())[:8])):
        draft = await drafted(store, review)
        change = TextChange(persona="builder", value=PLAIN.replace("log", "error"))
        await do(store, draft, Action.EDIT, changes=(change,))
    paths = [f"/drafts/{number}{more}" for number in range(1, draft + 1) for more in ("", "/history")]
    for number, path in enumerate(("/", "/?cost=x", "/runs", "/help", "/drafts/99", *paths)):
        (tmp_path / f"{number}.html").write_text((await browser.get(path)).text, "utf-8")
    assert html_errors(tmp_path.glob("*.html")) == []
