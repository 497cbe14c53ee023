"""What the server lets in, what it refuses, and what every answer carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from panel.approval import StaleDraft
from panel.approval.commands import DraftCommand
from panel.core.draft_state import Action
from panel.errors import GateError, InputError, Problem, RunStopped, SettingsError, StorageError
from panel.web.app import create_app
from panel.web.auth import AccessPolicy, SingleUser, current_user
from panel.web.forms import MAX_BYTES
from panel.web.middleware import CONTENT_POLICY, HEADERS
from panel.web.rendering import CACHE_FOREVER, REVALIDATE, assets
from store.editing import approval
from store.samples import review
from web.conftest import KIM, LOOPBACK, Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.requests import Request

    from panel.web.services import Services

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[2] / "fixtures" / "web" / "approval.jsonl"
ROWS = {row["id"]: row for row in map(json.loads, FIXTURE.read_text("utf-8").splitlines())}
KEY = "sk-ant-EXAMPLE"


@pytest.fixture(autouse=True)
def echo(request: pytest.FixtureRequest) -> None:
    """A page with a form that says what it was sent, `/echo`, in whatever application a test asks."""
    for name in {"app", "accounts"} & set(request.fixturenames):
        add(request.getfixturevalue(name), _echo, "/echo")


def add(app: Starlette, handler: Callable[[Request], Any], path: str = "/page") -> None:
    app.router.routes.append(Route(path, handler, methods=["GET", "POST"]))


async def _echo(request: Request) -> Response:
    if request.method == "GET":
        return Response(f'<input name="csrf" value="{current_user(request).csrf_token}">')
    async with request.form() as form:
        return PlainTextResponse(str(form["word"]))


def raising(error: Exception) -> Callable[[Request], Any]:
    async def handler(_request: Request) -> Response:
        raise error

    return handler


async def test_one_person_on_their_own_machine_needs_no_sign_in(browser: Browser) -> None:
    """A form of a page that was opened here is taken, whether it is sent as text or in parts."""
    token = await browser.token("/echo")
    form = {"csrf": token, "word": "größer"}
    assert (await browser.post("/echo", data=form)).text == "größer"
    parts = await browser.post("/echo", data=form, files={"file": b"x" * 100_000})
    assert (parts.status_code, parts.text) == (200, "größer")


ATTACKS: dict[str, dict[str, Any]] = {
    "web-approval-ui-04": {"headers": {"origin": "https://exfil.invalid"}},
    "web-approval-ui-05": {"headers": {"sec-fetch-site": "cross-site"}},
    "web-approval-ui-06": {"headers": {"host": "attacker.invalid"}},
    "web-approval-ui-07": {"content": '{"csrf": ""}', "headers": {"content-type": "text/plain"}},
}


@pytest.mark.parametrize("row", ATTACKS)
async def test_what_another_site_sends_is_refused(row: str, browser: Browser) -> None:
    """Each attack ends with the status that its row expects, although the form's token is right."""
    attack = {"data": {"csrf": await browser.token("/echo"), "word": "x"}, **ATTACKS[row]}
    if "content" in attack:
        del attack["data"]
    answer = await browser.post("/echo", **attack)
    assert answer.status_code == int(ROWS[row]["expect"][:3])
    assert "<h1>" in answer.text


async def test_the_token_of_another_session_is_refused(
    accounts: Starlette, away: Callable[..., Browser]
) -> None:
    """A form holds a token of its own session, and no other one is taken, nor none, nor two."""
    status = int(ROWS["web-approval-ui-03"]["expect"])
    async with away() as kim, away() as ada:
        await kim.sign_in("Kim")
        await ada.sign_in("Ada")
        mine, theirs = await kim.token("/echo"), await ada.token("/echo")
        for token in (theirs, "", [mine, mine], "ä"):
            answer = await kim.post("/echo", data={"csrf": token, "word": "x"})
            assert answer.status_code == status
        assert (await kim.post("/echo", data={"csrf": mine, "word": "x"})).status_code == 200
    assert accounts


async def test_the_token_of_another_browser_is_refused(app: Starlette, browser: Browser) -> None:
    """Without sign-in, tokens are bound to a browser, and fit no other."""
    token = await browser.token("/echo")
    async with Browser(app) as other:
        assert (await other.post("/echo", data={"csrf": token})).status_code == 403
        assert await other.token("/echo") != token
    assert await browser.token("/echo") == token


async def test_forms_outlive_a_restart_under_the_same_secret(services: Services) -> None:
    """A form that was open when the server was started again is taken; under another secret it is not."""

    async def sent(secret: bytes) -> int:
        app = create_app(services, AccessPolicy(SingleUser(KIM), secret=secret))
        add(app, _echo, "/echo")
        async with Browser(app) as browser:
            browser.cookies.update(cookies)
            form = {"csrf": token or await browser.token("/echo"), "word": "x"}
            status = (await browser.post("/echo", data=form)).status_code
            cookies.update(browser.cookies)
            tokens.append(form["csrf"])
            return status

    cookies: dict[str, str] = {}
    tokens: list[str] = []
    token = ""
    assert await sent(b"s" * 32) == 200
    token = tokens[0]
    assert await sent(b"s" * 32) == 200
    assert await sent(b"t" * 32) == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": LOOPBACK, "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "https://127.0.0.1:8377"}, 200),
        ({"origin": "http://127.0.0.1:8378"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({"origin": "http://localhost:8377"}, 403),
        ({"origin": "http://127.0.0.1:8377.exfil.invalid"}, 403),
        ({"origin": "http://127.0.0.1:8377@exfil.invalid"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
async def test_forms_come_from_pages_of_this_very_server(
    headers: dict[str, str], status: int, browser: Browser
) -> None:
    """Scheme aside, which a proxy may change, the page that sends a form has the server's own name and port."""
    form = {"csrf": await browser.token("/echo"), "word": "x"}
    assert (await browser.post("/echo", data=form, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 404),
        ("127.0.0.1:9", 404),
        ("LOCALHOST:8377", 404),
        ("[::1]:8377", 404),
        ("0.0.0.0:8377", 400),
        ("reviews.example", 400),
        ("localhost.exfil.invalid", 400),
        ("localhost@exfil.invalid", 400),
        ("exfil.invalid@localhost", 400),
        ("localhost/exfil.invalid", 400),
        ("localhost#exfil.invalid", 400),
        ("[::1", 400),
        ("", 400),
    ],
)
async def test_the_server_answers_to_its_own_names_only(host: str, status: int, browser: Browser) -> None:
    """A name that is not on the list is refused before anything else, so that no rebound name reaches a page."""
    assert (await browser.get("/nowhere", headers={"host": host})).status_code == status


async def test_a_name_that_was_allowed_is_answered_to(away: Callable[..., Browser]) -> None:
    """A name on the list of allowed hosts is one of the server's."""
    async with away() as browser:
        assert (await browser.get("/login")).status_code == 200


async def test_large_bodies_are_not_read(browser: Browser) -> None:
    """More than a megabyte is refused, whether its length is told or not."""
    token = await browser.token("/echo")
    kind = {"content-type": "application/x-www-form-urlencoded"}
    most = f"csrf={token}&word=".encode()
    most += b"x" * (MAX_BYTES - len(most))

    async def chunks(count: int) -> Any:
        for _ in range(count):
            yield b"x" * 100_000

    assert (await browser.post("/echo", content=most, headers=kind)).status_code == 200
    assert (await browser.post("/echo", content=most + b"x", headers=kind)).status_code == 413
    assert (await browser.post("/echo", content=chunks(11), headers=kind)).status_code == 413


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml", None])
async def test_forms_alone_are_read(kind: str | None, browser: Browser) -> None:
    """Any other kind of body, or none, is refused."""
    headers = {"content-type": kind} if kind else {}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await browser.request(method, "/echo", content=b"{}", headers=headers)
        assert answer.status_code == 415


async def test_a_form_that_cannot_be_read_is_bad_input(browser: Browser) -> None:
    """A form of a thousand and one fields, or in parts that do not hold together, is refused without a bug."""
    many = {
        "content": b"&".join([b"a=b"] * 1_001),
        "headers": {"content-type": "application/x-www-form-urlencoded"},
    }
    broken = {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data"}}
    for body in (many, broken):
        assert (await browser.post("/echo", **body)).status_code == 400  # type: ignore[arg-type] # one table for both


async def test_every_answer_carries_safe_headers(app: Starlette, browser: Browser) -> None:
    """Pages, refusals, bugs and files all carry them, and none of them is kept by caches but files."""
    add(app, raising(ValueError("bug")), "/bug")
    name = next(iter(assets()), "nothing.css")
    for path in ("/echo", "/nowhere", "/bug", f"/static/{name}", "/static/nothing"):
        headers = (await browser.get(path)).headers
        expected = HEADERS | (
            {"cache-control": REVALIDATE} if path == f"/static/{name}" and name in assets() else {}
        )
        assert {key: headers[key] for key in HEADERS} == expected
    refused = await browser.get("/", headers={"host": "exfil.invalid"})
    assert {key: refused.headers[key] for key in HEADERS} == HEADERS


async def test_the_policy_lets_no_inline_script_and_no_frame_around_it() -> None:
    """The policy of pages holds all that its row asks for, and nothing unsafe."""
    asked = ROWS["web-approval-ui-15"]["expect"].removesuffix("; no inline script")
    assert set(asked.split("; ")) <= set(CONTENT_POLICY.split("; "))
    assert "unsafe" not in CONTENT_POLICY


async def test_a_page_may_have_a_policy_of_its_own(app: Starlette, browser: Browser) -> None:
    """What a page says about itself is kept."""

    async def framed(_request: Request) -> Response:
        return Response(headers={"content-security-policy": "sandbox"})

    add(app, framed)
    answer = await browser.get("/page")
    assert answer.headers.get_list("content-security-policy") == ["sandbox"]


async def test_files_are_cached_by_their_content(browser: Browser) -> None:
    """Under the digest of its content a file is kept for a year, and otherwise asked for each time."""
    for name, asset in assets().items():
        kept = await browser.get(f"/static/{name}", params={"v": asset.digest})
        assert (kept.headers["cache-control"], kept.content) == (CACHE_FOREVER, asset.content)
        assert (await browser.get(f"/static/{name}", params={"v": "x"})).headers[
            "cache-control"
        ] == REVALIDATE


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "", "a/b", "nothing.css"])
async def test_no_other_file_is_served(name: str, browser: Browser) -> None:
    """Only what lies in the folder of files is found, whatever is asked for."""
    assert (await browser.get(f"/static/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GateError("draft 1 is with Ada for 4 minutes yet; wait, or take it over"), 409),
        (StaleDraft("draft 1 was changed; read it again", "d1" * 32, "My reason"), 409),
        (SettingsError("no such thing"), 400),
        (InputError([Problem("form", "expected a number", field="score")]), 400),
        (RunStopped("Skeptic: timed out: no answer. The draft stays as it is; ask again later."), 503),
        (StorageError("panel.db: disk full"), 503),
    ],
)
async def test_errors_are_pages_in_plain_words(
    error: Exception, status: int, app: Starlette, browser: Browser
) -> None:
    """Each error has its status and is told in its own words, with the way back."""
    add(app, raising(error))
    answer = await browser.get("/page")
    assert answer.status_code == status
    words = str(error).splitlines()[0].removesuffix(".")
    shown = words if words.startswith("panel.db") else words[0].upper() + words[1:]
    assert f"<p>{shown}.</p>" in answer.text
    assert 'href="/"' in answer.text


async def test_an_approval_of_something_else_gives_back_what_was_written(
    app: Starlette, browser: Browser, services: Services
) -> None:
    """An approval names what was shown; when that is not what is there, nothing is approved and the reason comes back."""
    store = services.store
    run = await store.runs.create("review", {})
    draft = await store.drafts.put(review(), run, await store.tools.put(review().tool))

    async def approve(_request: Request) -> Response:
        reason = "Fine <b>by</b> me"
        deed = DraftCommand(action=Action.APPROVE, actor=KIM, seen="0" * 64, reason=reason)
        await approval(store).execute(draft, deed)
        return Response()

    add(app, approve)
    answer = await browser.get("/page")
    assert answer.status_code == int(ROWS["web-approval-ui-12"]["expect"][:3])
    assert "Fine &lt;b&gt;by&lt;/b&gt; me</textarea>" in answer.text


async def test_a_draft_that_is_not_there_is_not_found(
    app: Starlette, browser: Browser, services: Services
) -> None:
    """The number of no draft gives 404."""

    async def show(_request: Request) -> Response:
        await approval(services.store).view(404)
        return Response()

    add(app, show)
    answer = await browser.get("/page")
    assert (answer.status_code, "There is no draft 404; see" in answer.text) == (404, True)


async def test_a_bug_shows_nothing_of_itself(
    app: Starlette, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug gives a plain page without its words, and a line with them on stderr, without what was asked in the query."""
    add(app, raising(ValueError(f"the key is {KEY}")))
    answer = await browser.get("/page", params={"q": "secret-word"})
    assert answer.status_code == 500
    assert KEY not in answer.text
    assert "Traceback" not in answer.text
    (record,) = caplog.records
    assert record.getMessage() == "panel: GET /page: this is a bug in panel; please report it"
    assert record.exc_info
    assert "secret-word" not in caplog.text


async def test_strangers_learn_nothing_of_the_database(
    accounts: Starlette, away: Callable[..., Browser], caplog: pytest.LogCaptureFixture
) -> None:
    """When the store fails, who signed in is told why, and everybody else that it failed."""
    add(accounts, raising(StorageError("/var/panel.db: disk full")))
    async with away() as browser:
        accounts.router.routes.insert(0, Route("/login", raising(StorageError("/var/panel.db: gone"))))
        answer = await browser.get("/login")
        assert (answer.status_code, "/var" in answer.text) == (503, False)
        del accounts.router.routes[0]
        await browser.sign_in()
        assert "/var/panel.db: disk full" in (await browser.get("/page")).text
    assert "panel: GET /page: /var/panel.db: disk full" in caplog.text


async def test_a_wrong_method_is_a_page(browser: Browser) -> None:
    """A method that an address does not know is told as that."""
    answer = await browser.request("OPTIONS", "/echo")
    assert (answer.status_code, "<h1>That is not possible here</h1>" in answer.text) == (405, True)


@pytest.mark.parametrize("charset", ["undefined", "punycode", "unicode_escape", "utf-16", '""'])
async def test_forms_are_in_utf8(charset: str, browser: Browser) -> None:
    """A form in another encoding, or in none that there is, is refused before anybody decodes it."""
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    body = b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\\ud800\r\n--b--\r\n'
    answer = await browser.post("/drafts/1/approve", content=body, headers={"content-type": kind})
    assert answer.status_code in {403, 415}


@pytest.mark.parametrize(
    "path", ["/drafts/{}", "/drafts/{}/history", "/?done=approve&was={}", "/runs?before={}"]
)
async def test_numbers_that_nothing_has_are_harmless(path: str, browser: Browser) -> None:
    """A number of thousands of digits is an address of nothing, and no error of the server."""
    answer = await browser.get(path.format("9" * 5_000))
    assert answer.status_code in {200, 404}
