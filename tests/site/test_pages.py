from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import etree

import builders
from panel.core.draft_edits import ScoreChange, VerdictChange
from panel.core.draft_state import Action
from panel.core.finding import Resolution, ResolutionKind
from panel.core.take import Verdict
from panel.core.tally import Votes
from panel.store import open_store
from publishing import URL, Site, copy_store, correct, make_pair, make_review, publish, put_draft
from store.editing import approval, brought, do, priced
from validity import HERE, MISSING, html_errors

pytestmark = pytest.mark.anyio

ATTACKS = Path(__file__).parents[2] / "fixtures" / "web" / "attacks.jsonl"
ROWS = [json.loads(line)["attack"] for line in ATTACKS.read_text("utf-8").splitlines()]

WRONG = (
    "<p nonsense=1>x</p>",
    "<i id=a></i><i id=a></i>",
    "<b><i>x</b></i>",
    "<svg><rect wide=1 /></svg>",
    "<ul><p>x</p></ul>",
)


class Elements(HTMLParser):
    """The elements of a page, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.found
            if name == tag and wanted.items() <= {k: v for k, v in attrs.items() if v is not None}.items()
        ]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).split())


def linked_data(page: str) -> Any:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


async def seed(site: Site) -> None:
    """Publish the two tools of the seed page, which an editor put side by side."""
    await publish(site.store, builders.smollm3(), builders.skillclaw(), kind="compare")


async def test_the_seed_comparison_is_shown_in_full(site: Site) -> None:
    await seed(site)
    await site.build()
    words = Elements(site.page("compare/skillclaw-vs-smollm3/")).words
    for expected in (
        "SkillClaw vs SmolLM3",
        "Which one should you ship with?",
        "Panel ship 3 of 4 takes",
        "75%",
        "50%",
        "No community votes yet",
        "Ship · 3 ship / 1 skip",
        "Mixed · 2 ship / 2 skip",
        "Free (Apache 2.0 open-source)",
        "Best for",
        "Developer Tools",
        "Reviewer scorecard",
        "87/100 · ship",
        "52/100 · skip",
        "45/100 · skip",
        "No panel take",
        "Verdict history",
        "No bookmarks yet",
    ):
        assert expected in words, expected


async def test_the_other_order_redirects_to_the_comparison(site: Site) -> None:
    """Only the address with the slugs in alphabetical order is indexed."""
    await seed(site)
    await site.build()
    stub = Elements(site.page("compare/smollm3-vs-skillclaw/"))
    assert (
        stub.all("meta", **{"http-equiv": "refresh"})[0]["content"]
        == "0; url=../../compare/skillclaw-vs-smollm3/"
    )
    assert stub.all("link", rel="canonical")[0]["href"] == f"{URL}/compare/skillclaw-vs-smollm3/"
    assert stub.all("meta", name="robots")[0]["content"] == "noindex"


async def test_reasons_to_pick_come_from_the_takes(site: Site) -> None:
    """Each reason names a critic who rated the tool higher, with both scores and the beginning of the take."""
    await publish(
        site.store,
        make_review("Alpha", 80, 60, 40, category="Logs"),
        make_review("Beta", 60, 61, 90, category="Logs"),
        make_review("Gamma", 60, 61, 90, category="Logs"),
    )
    await site.build()
    words = Elements(site.page("compare/alpha-vs-beta/")).words
    assert (
        "you judge as the Builder does (80 against 60): It reads log files and says where they stop" in words
    )
    assert "you judge as the Futurist does (90 against 40): A script of ten lines does the same" in words
    assert "the Skeptic does" not in words
    assert "No critic rated it higher." in Elements(site.page("compare/beta-vs-gamma/")).words


async def test_tools_of_different_categories_come_with_a_warning(site: Site) -> None:
    await publish(
        site.store,
        make_review("Alpha", category="Logs"),
        make_review("Beta", category="Design"),
        kind="compare",
    )
    await site.build()
    assert "may not compete" in site.page("compare/alpha-vs-beta/")


async def test_comparisons_with_few_takes_are_not_indexed(site: Site) -> None:
    """With fewer than three takes on a side."""
    await publish(
        site.store,
        make_review("Thin", 70, 60, category="Logs"),
        make_review("Thick", category="Logs"),
        make_review("Third", category="Logs"),
    )
    await site.build()
    assert '<meta name="robots" content="noindex">' in site.page("compare/thick-vs-thin/")
    assert '<meta name="robots"' not in site.page("compare/thick-vs-third/")
    sitemap = site.text("sitemap.xml")
    assert "/compare/thick-vs-third/" in sitemap
    assert "/compare/thick-vs-thin/" not in sitemap


async def test_every_link_leads_somewhere(site: Site) -> None:
    """Links, forms, scripts and pictures of every page lead to files of the site, wherever it is served."""
    await seed(site)
    await publish(site.store, *(make_review(f"Tool {n}", category="Logs") for n in range(4)))
    await site.build()
    files = set(site.files())
    for name in site.pages():
        for tag, attrs in Elements(site.text(name)).found:
            place = attrs.get("src") or (attrs.get("href") if tag in {"a", "link"} else None)
            if not place or place.startswith(("#", URL)) or urlsplit(place).scheme or name == "404.html":
                continue
            path = urlsplit(urljoin(f"/{name}", place)).path.lstrip("/")
            assert (path if path and not path.endswith("/") else f"{path}index.html") in files, (name, place)


async def test_nothing_comes_from_another_host(site: Site) -> None:
    """No page loads anything from elsewhere, or runs an inline script."""
    await seed(site)
    await site.build(voting=True, newsletter="panel")
    for name in site.pages():
        page = Elements(site.text(name))
        loaded = [attrs.get("src") for _, attrs in page.found if attrs.get("src")]
        loaded += [attrs["href"] for attrs in page.all("link", rel="stylesheet")]
        assert all(place and not urlsplit(place).netloc for place in loaded), name
        inline = [attrs for attrs in page.all("script") if attrs.get("type") != "application/ld+json"]
        assert [set(attrs) >= {"src", "defer"} for attrs in inline] == [True], name
        assert not any(key.startswith("on") or key == "style" for _, attrs in page.found for key in attrs), (
            name
        )
        policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
        assert policy == (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'"
        )


async def test_pages_are_small(site: Site) -> None:
    """Each page with its style stays below 14 KB of gzip, and the script below 3 KB."""
    await seed(site)
    await site.build(voting=True, newsletter="panel")
    sizes = {name: len(gzip.compress(content, 9)) for name, content in site.files().items()}
    style = sum(size for name, size in sizes.items() if name.endswith(".css"))
    assert sum(size for name, size in sizes.items() if name.endswith(".js")) < 3_000
    assert {
        name: size + style for name, size in sizes.items() if name.endswith(".html") and size + style > 14_000
    } == {}


async def test_pages_say_who_and_what_made_them(site: Site) -> None:
    """A tool's page says before its first take and on each that the critics are AI personas, and names editor, dates and methodology."""
    await publish(site.store, make_review())
    await site.build()
    page = site.page("tools/lantern/")
    words = Elements(page).words
    first = words.index("Reviewer scorecard")
    for expected in ("The critics are AI personas", "Approved by Kim on", "Published", "How it works"):
        assert words.index(expected) < first
    assert page.count('class="byline">AI persona') == 5
    data = linked_data(page)
    assert data["editor"] == [{"@type": "Person", "name": "Kim"}]
    assert data["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert data["breadcrumb"]["itemListElement"][-1]["item"] == f"{URL}/tools/lantern/"


async def test_nothing_pretends_to_be_a_rating(site: Site) -> None:
    """JSON-LD has no rating or review at any depth, and always a type and an address."""
    await seed(site)
    await site.build(voting=True)
    for name in site.pages():
        text = site.text(name)
        if "application/ld+json" not in text:
            continue
        assert not re.search(
            r"rating|reviewbody|\"review\"|bestrating|stars", json.dumps(linked_data(text)), re.IGNORECASE
        )
        assert linked_data(text)["url"].startswith(URL)
    kinds = json.dumps(linked_data(site.page("compare/skillclaw-vs-smollm3/")))
    for kind in ("WebPage", "ItemList", "SoftwareApplication", "BreadcrumbList", "Person"):
        assert f'"{kind}"' in kinds


async def test_an_edited_verdict_is_marked(site: Site) -> None:
    """With the editor's name and the model's verdict."""
    draft = await put_draft(site.store, make_review())
    await brought(site.store, draft, "open")
    await do(
        site.store,
        draft,
        Action.EDIT,
        changes=(VerdictChange(persona="builder", value="skip"),),
        reason="No.",
    )
    await brought(site.store, draft, "approve", "publish")
    await site.build()
    assert (
        "Verdict edited by Kim ; the model said 70/100 · ship" in Elements(site.page("tools/lantern/")).words
    )


async def test_sources_are_listed_with_the_day_of_their_check(site: Site) -> None:
    """Facts of a tool, and sources by which an editor supported a claim."""
    fact = {"claim": "It is free.", "source": "https://lantern.example/prices", "checked_on": "2026-11-01"}
    draft = await put_draft(site.store, priced(builders.tool(facts=[fact])))
    await brought(site.store, draft, "open")
    finding = next(one.finding for one in (await approval(site.store).view(draft)).unresolved if one.allowed)
    tick = Resolution(
        finding=finding.id, kind=ResolutionKind.SUPPORTED, source="https://lantern.example/pricing"
    )
    await do(site.store, draft, Action.RESOLVE, resolution=tick)
    await brought(site.store, draft, "approve", "publish")
    await site.build()
    words = Elements(site.page("tools/lantern/")).words
    assert "It is free. : lantern.example , checked 2026-11-01" in words
    assert "Supports a claim of a take, according to the editor : lantern.example , checked" in words


async def test_a_retraction_leaves_a_notice(site: Site) -> None:
    """Its comparisons too; the tool leaves lists, search, feeds and sitemap, and enters the log."""
    draft, _ = await publish(site.store, *make_pair())
    await site.build()
    await do(site.store, draft, Action.RETRACT, reason="The listing was a <joke>.")
    built = await site.build()
    assert (built.reviews, built.retracted) == (1, 1)
    for path in ("tools/lantern/", "compare/lantern-vs-sextant/"):
        page = site.page(path)
        assert "The listing was a &lt;joke&gt;." in page
        assert "by <bdi>Kim</bdi>" in page
        assert "70/100" not in page
        assert '<meta name="robots" content="noindex">' in page
    assert not (site.folder / "tools" / "lantern" / "card.png").exists()
    assert "Retracted by Kim" in Elements(site.page("corrections/")).words
    assert not any(path.startswith("search/la") for path in site.files())
    for path in (
        "index.html",
        "tools/index.html",
        "category/logs/index.html",
        "feed.xml",
        "feed.json",
        "sitemap.xml",
    ):
        assert "lantern" not in site.text(path), path


async def test_a_retraction_stays_visible_when_its_draft_is_reopened(site: Site) -> None:
    draft, *_ = await publish(site.store, make_review())
    await do(site.store, draft, Action.RETRACT, reason="It was wrong.")
    await do(site.store, draft, Action.OPEN)
    await site.build()
    assert "retracted" in site.page("tools/lantern/")
    assert "Retracted by" in site.page("corrections/").replace("<strong>", "").replace("</strong>", "")


async def test_a_correction_is_logged(site: Site) -> None:
    """With the corrected fields, the editor and both verdicts; the history has both versions."""
    draft, *_ = await publish(site.store, make_review("Lantern", 70, 60, 40))
    changes = (ScoreChange(persona="builder", value=45), VerdictChange(persona="builder", value="skip"))
    await correct(site.store, draft, *changes)
    await site.build()
    words = Elements(site.page("corrections/")).words
    assert "Corrected , approved by Kim : Builder's verdict, score." in words
    assert "The panel verdict was Ship · 2 ship / 1 skip, and is Skip · 1 ship / 2 skip." in words
    history = Elements(site.page("tools/lantern/")).words.rpartition("Verdict history")[2]
    assert history.index("Skip · 1 ship / 2 skip") < history.index("Ship · 2 ship / 1 skip")


async def test_a_tool_reviewed_twice_has_one_page(site: Site) -> None:
    """It shows the latest review; its history has both verdicts."""
    await publish(site.store, make_review("Lantern", 70, 60, 40))
    await publish(site.store, make_review("Lantern", 30, 20, 40))
    built = await site.build()
    assert built.reviews == 1
    words = Elements(site.page("tools/lantern/")).words
    assert "Ship · 2 ship / 1 skip" in words.rpartition("Verdict history")[2]
    assert "30/100 · skip" in words


async def test_former_addresses_redirect(site: Site) -> None:
    """Those of tools and of their comparisons."""
    await publish(site.store, *make_pair())
    await publish(site.store, make_review("Lantern", slug="torch", category="Logs"))
    await site.build()
    assert "url=../../tools/torch/" in site.page("tools/lantern/")
    for former in ("lantern-vs-sextant", "sextant-vs-lantern"):
        assert "url=../../compare/sextant-vs-torch/" in site.page(f"compare/{former}/")


async def test_an_earlier_review_does_not_replace_a_retracted_one(site: Site) -> None:
    await publish(site.store, make_review("Lantern", 70, 60, 80))
    latest, *_ = await publish(site.store, make_review("Lantern", 30, 20, 40))
    await do(site.store, latest, Action.RETRACT, reason="The listing was a joke.")
    built = await site.build()
    assert (built.reviews, built.retracted) == (0, 1)
    assert "The listing was a joke." in site.page("tools/lantern/")


async def test_a_retraction_stays_in_history_and_log_when_the_review_is_published_again(site: Site) -> None:
    draft, *_ = await publish(site.store, make_review())
    await do(site.store, draft, Action.RETRACT, reason="The listing was a joke.")
    await brought(site.store, draft, "open", "approve", "publish")
    built = await site.build()
    assert built.reviews == 1
    assert "; retracted" in Elements(site.page("tools/lantern/")).words
    assert "The listing was a joke." in site.page("corrections/")


async def test_two_tools_with_the_same_slug_both_have_a_page(site: Site) -> None:
    """The tool that was added first keeps the address; the other one gets a free one, in comparisons and the log too, and takes no votes."""
    second = make_review("Lantern Pro", slug="lantern", category="Logs", url="https://lantern.example/")
    third = make_review("Lantern 2", category="Logs", url="https://lantern.example/")
    first = make_review("Lantern", slug="lantern", category="Logs", url="https://lantern.example/")
    await publish(site.store, first)
    _, draft = [*await publish(site.store, third), *await publish(site.store, second)]
    await correct(site.store, draft, ScoreChange(persona="builder", value=71))
    await site.build(voting=True)
    words = Elements(site.page("compare/lantern-vs-lantern-3/")).words
    assert "Lantern vs Lantern Pro" in words
    assert words.count("Sources Lantern ") == 1
    assert 'href="../tools/lantern-3/"' in site.page("corrections/")
    assert "vote/lantern" in site.page("tools/lantern/")
    assert "<form" not in site.page("tools/lantern-3/")
    assert sorted(path.name for path in (site.folder / "tools").iterdir() if path.is_dir()) == [
        "lantern",
        "lantern-2",
        "lantern-3",
    ]


async def test_a_critic_s_page_has_figures_and_takes(site: Site) -> None:
    await publish(site.store, make_review("Alpha", 80, 60, 40), make_review("Beta", 30, 60, 90))
    await site.build()
    words = Elements(site.page("critics/builder/")).words
    for expected in (
        "AI persona",
        "50% (1 of 2)",
        "Mean score 55",
        "30 to 80",
        "80/100 · ship",
        "30/100 · skip",
        "What it is tired of",
    ):
        assert expected in words, expected


async def test_long_lists_have_numbered_pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest entries come first; numbered pages have all of them, the oldest first."""
    monkeypatch.setattr("panel.site.catalog.PAGE_SIZE", 3)
    await publish(site.store, *(make_review(f"Tool {n}", category="Logs") for n in range(7)))
    await site.build()
    assert [site.page(f"tools/{n}/").count("<h3") for n in (1, 2, 3)] == [3, 3, 1]
    assert ">Older<" not in site.page("tools/1/")
    assert ">Newer<" not in site.page("tools/3/")
    assert "tools/3/" in site.page("tools/")
    assert (
        site.page("critics/skeptic/2/").count("60/100") + site.page("critics/skeptic/2/").count("80/100") == 3
    )


async def test_methodology_names_models_and_prompts(site: Site) -> None:
    """With the rule, what AI and people did, and the days of their use."""
    await publish(site.store, make_review())
    await site.build()
    words = Elements(site.page("methodology/")).words
    for expected in (
        "A strict majority of the takes given decides",
        "What AI did",
        "What people did",
        f"openai:{builders.MODEL}",
        "c3c3c3c3c3c3",
        "2026-11-22",
    ):
        assert expected in words, expected


async def test_few_votes_are_not_split(site: Site) -> None:
    """Below the minimum only their number is shown; without voting there is no form."""
    assert Votes(ships=1).line(5) == "1 vote"
    assert Votes(ships=3, skips=2).line(5) == "5 votes · 3 ship / 2 skip"
    assert Votes().line(1) == "No community votes yet"
    await publish(site.store, make_review())
    for n in range(5):
        await site.store.votes.cast("lantern", f"{n:064}", Verdict.SHIP, "a" * 64)
    await site.build(voting=True)
    page = site.page("tools/lantern/")
    assert page.count('data-votes="lantern">5 votes · 5 ship / 0 skip') == 3
    assert '<form method="post" action="../../vote/lantern"' in page
    await site.build(voting=False)
    assert "5 votes · 5 ship / 0 skip" in site.page("tools/lantern/")
    assert "<form" not in site.page("tools/lantern/")


async def test_feeds_have_the_latest_reviews(site: Site) -> None:
    await publish(site.store, make_review("Lantern", tagline="Reads <logs> & more"))
    await site.build()
    atom = etree.fromstring(site.raw("feed.xml"))
    space = {"a": "http://www.w3.org/2005/Atom"}
    assert atom.findtext("a:entry/a:title", namespaces=space) == "Lantern: Ship · 3 ship / 2 skip"
    assert atom.findtext("a:entry/a:author/a:name", namespaces=space) == "Kim"
    assert (atom.findtext("a:entry/a:summary", namespaces=space) or "").startswith("Reads <logs> & more")
    feed = json.loads(site.text("feed.json"))
    assert feed["items"][0]["url"] == f"{URL}/tools/lantern/"
    assert feed["items"][0]["authors"] == [{"name": "Kim"}]


async def test_crawlers_find_sitemap_and_notice(site: Site) -> None:
    """The sitemap has canonical pages with the time of their last change, robots.txt the sitemap, llms.txt the notice about AI."""
    await seed(site)
    await site.build()
    places = etree.fromstring(site.raw("sitemap.xml"))
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    found = {
        node.findtext("s:loc", namespaces=space): node.findtext("s:lastmod", namespaces=space)
        for node in places
    }
    assert found[f"{URL}/compare/skillclaw-vs-smollm3/"]
    assert f"{URL}/compare/smollm3-vs-skillclaw/" not in found
    assert f"Sitemap: {URL}/sitemap.xml" in site.text("robots.txt")
    assert "AI personas" in site.text("llms.txt")


async def test_a_large_sitemap_is_divided(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.site.pages.feeds.SITEMAP_ENTRIES", 4)
    await publish(site.store, make_review())
    await site.build()
    index = site.text("sitemap.xml")
    parts = re.findall(r"<loc>(.*?)</loc>", index)
    assert parts[0] == f"{URL}/sitemap-1.xml"
    assert all((site.folder / part.rpartition("/")[2]).exists() for part in parts)


async def test_pages_name_their_preview_picture(site: Site) -> None:
    await seed(site)
    await site.build()
    page = Elements(site.page("tools/smollm3/"))
    assert page.all("link", rel="canonical")[0]["href"] == f"{URL}/tools/smollm3/"
    assert page.all("meta", property="og:image")[0]["content"] == f"{URL}/tools/smollm3/card.png"
    assert page.all("meta", property="og:image:alt")[0]["content"] == "The panel would ship SmolLM3."
    assert site.files()["tools/smollm3/card.png"].startswith(b"\x89PNG")


async def test_an_outside_newsletter_gets_the_form(site: Site) -> None:
    """The content security policy allows its address and no other."""
    await publish(site.store, make_review())
    await site.build(newsletter="https://mail.example/subscribe?list=1")
    page = Elements(site.page("tools/lantern/"))
    assert page.all("form")[0]["action"] == "https://mail.example/subscribe?list=1"
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"] or ""
    assert "form-action 'self' https://mail.example;" in policy


async def test_an_empty_site_has_its_pages(site: Site) -> None:
    built = await site.build()
    assert built.reviews == 0
    assert "Nothing is published yet." in site.page("")
    assert "Nothing was corrected or retracted." in site.page("corrections/")
    assert "No take is published yet." in site.page("critics/skeptic/")
    etree.fromstring(site.raw("feed.xml"))


def hostile(attack: str, name: str) -> Any:
    """Return a review with an attack in every text."""
    attack = f"x {attack}" if not attack.strip() else attack
    take = f"{attack} and enough words around it to make a take of the length that is asked for."
    fields = {
        "tagline": attack,
        "category": attack[:60],
        "pricing": attack,
        "maker": attack[:100],
        "license": attack[:60],
        "best_for": attack,
        "aliases": [f"{attack[:90]} alias {name}"],
        "facts": [{"claim": attack, "source": "https://lantern.example/", "checked_on": "2026-11-01"}],
    }
    outcomes = (
        builders.take(70, text=take, evidence=(attack,)),
        builders.no_take(detail=attack),
        *(builders.take(60, text=take),) * 2,
    )
    return builders.review(*outcomes, of=builders.tool(f"{name} {attack}"[:110], **fields))


async def filled(site: Site, attacks: list[str]) -> set[tuple[str, str | None]]:
    """Build a site of attacks, one of which is retracted; return its elements, alone and with each attribute."""
    drafts = await publish(site.store, *(hostile(attack, f"Tool {n}") for n, attack in enumerate(attacks)))
    await do(site.store, drafts[0], Action.RETRACT, reason=attacks[0])
    await site.build(voting=True, newsletter="panel")
    return {
        (tag, key)
        for name in site.pages()
        for tag, attrs in Elements(site.text(name)).found
        for key in (None, *attrs)
    }


async def test_no_attack_becomes_markup(site: Site, empty: Path, tmp_path: Path) -> None:
    """With attacks in names, listings, takes and reasons, pages have the same elements as with harmless words."""
    async with open_store(copy_store(empty, tmp_path / "harmless.db")) as other:
        known = await filled(Site(other, tmp_path / "harmless"), [f"plain words {n}" for n in range(4)])
    assert await filled(site, ROWS) - known == set()
    for name in site.pages():
        text = site.text(name)
        for tag, attrs in Elements(text).found:
            for key in ("href", "src", "action"):
                assert urlsplit(attrs.get(key) or "").scheme in {"", "https"}, (name, tag, attrs)
        if "application/ld+json" in text:
            linked_data(text)
    for path in site.files():
        assert re.fullmatch(r"[a-z0-9._/-]+", path), path
        if path.endswith(".json"):
            json.loads(site.text(path))
        if path.endswith(".xml"):
            etree.fromstring(site.raw(path))


@pytest.mark.skipif(not HERE, reason=MISSING)
async def test_pages_are_valid_html(site: Site) -> None:
    """By the Nu HTML Checker, for plain, hostile, corrected and retracted reviews."""
    await seed(site)
    drafts = await publish(site.store, *(hostile(attack, f"Evil {n}") for n, attack in enumerate(ROWS[:8])))
    await do(site.store, drafts[0], Action.RETRACT, reason="<script>alert(1)</script>")
    await correct(site.store, drafts[1], ScoreChange(persona="builder", value=71))
    await site.build(voting=True, newsletter="panel")
    assert html_errors(site.folder.rglob("*.html")) == []


@pytest.mark.skipif(not HERE, reason=MISSING)
def test_the_checker_finds_errors(tmp_path: Path) -> None:
    """Unknown attributes, duplicate ids and broken nesting."""
    for number, snippet in enumerate(WRONG):
        page = tmp_path / f"{number}.html"
        page.write_text(f"<!doctype html><html lang=en><meta charset=utf-8><title>x</title>{snippet}")
    found = html_errors(tmp_path.glob("*.html"))
    assert {line.partition(".")[0] for line in found} == {str(number) for number in range(len(WRONG))}


async def test_embedded_drafts_are_marked_wherever_they_are_listed(site: Site) -> None:
    """In lists, critics' pages and feeds; other reviews are not marked."""
    await publish(site.store, builders.embedded_review(builders.tool("Tiny", category="Logs")))
    await publish(site.store, make_review("Large", category="Logs"))
    await site.build()
    marked = "Embedded draft: written by a model so small"
    for path in ("", "tools/", "category/logs/", "compare/", "critics/builder/", "tools/large/"):
        page = site.page(path)
        assert page.count("embedded draft") >= 1, path
        assert page.count(marked) == (path != "tools/large/"), path
    for path, mark in (("feed.xml", marked), ("feed.json", marked), ("llms.txt", marked)):
        assert mark in site.text(path), path
    [tiny] = [line for line in site.text("llms.txt").splitlines() if "embedded draft" in line]
    assert "[Tiny]" in tiny
    texts = {item["title"]: item["content_text"] for item in json.loads(site.text("feed.json"))["items"]}
    assert [marked in text for text in texts.values()] == [title.startswith("Tiny") for title in texts]
