from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "fixtures" / "tools" / "smollm3.yaml"
REPLAY = f"replay:{ROOT / 'fixtures' / 'replies' / 'seed'}"


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which `panel` stands for this program."""
    line = command.replace("panel ", f"{sys.executable} -m panel ")
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (f"panel review - --model {REPLAY} <&-", 2),
        ("panel parse --persona builder <&-", 0),
        ("panel config >&-", 0),
        ("panel config >/dev/full", 74),
        (f"panel review {TOOL} --model {REPLAY} 2>&-", 0),
        (f"panel review {TOOL} --model {REPLAY} 2>/dev/full", 0),
        ("LC_ALL=C PYTHONUTF8=0 panel personas list", 0),
    ],
)
def test_missing_or_full_streams_are_no_bugs(command: str, code: int, tmp_path: Path) -> None:
    done = shell(command, tmp_path)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr


def test_reports_are_written_although_nobody_reads_on(tmp_path: Path) -> None:
    """When the reader of stdout leaves early, what was answered is still written, and the exit code is that of a closed pipe."""
    done = shell(f"(panel review {TOOL} --model {REPLAY} --json -q; echo $? >code) | true", tmp_path)
    assert done.stderr == ""
    assert (tmp_path / "outputs" / "reviews" / "smollm3.json").is_file()
    assert (tmp_path / "code").read_text().strip() in {"0", "141"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HTTPS_PROXY": "foo://x", "HTTP_PROXY": "foo://x", "ALL_PROXY": "foo://x"}, "could not be set up"),
        ({"OPENAI_BASE_URL": "http://[::1/v1"}, "OPENAI_BASE_URL: expected an http or https address"),
        ({"SOURCE_DATE_EPOCH": "yesterday"}, "SOURCE_DATE_EPOCH"),
        ({"OPENAI_API_KEY": "two words"}, "holds white space"),
    ],
)
def test_odd_environment_is_one_line(
    environment: dict[str, str], said: str, panel: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-EXAMPLE")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = panel("review", TOOL, "--model", "openai")
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_missing_key_leaves_nothing_behind(panel: Any, own_world: Path) -> None:
    assert panel("review", TOOL, "--model", "openai").code == 2
    assert list(own_world.iterdir()) == []


def test_settings_file_of_a_folder_cannot_take_a_key(panel: Any, monkeypatch: Any, tmp_path: Path) -> None:
    """A settings file that lies in the folder may not send a vendor's key to another address; a flag may, and is told."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-EXAMPLE")
    (tmp_path / "panel.yaml").write_text("base_url: http://127.0.0.1:9/v1\nretries: 0\n")
    ran = panel("review", TOOL)
    assert ran.code == 2
    assert "would send your openai key to http://127.0.0.1:9/v1" in ran.err
    assert "sk-EXAMPLE" not in ran.err
    ran = panel("review", TOOL, "--base-url", "http://127.0.0.1:9/v1")
    assert ran.code == 75
    assert "at http://127.0.0.1:9/v1" in ran.err


def test_unrelated_folders_here_are_left_alone(panel: Any, tmp_path: Path) -> None:
    """A folder here that happens to be called `personas` or `prompts`, with other things in it, changes nothing."""
    for name in ("personas", "prompts"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.md").write_text("# Notes\n")
    assert panel("review", TOOL, "--model", REPLAY).code == 0


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% block system %}{{ 1 / 0 }}{% endblock %}", "cannot be rendered"),
        ("{% block system %}{{ 'a' + 1 }}{% endblock %}", "cannot be rendered"),
        (
            "{% block system %}{{ guard.canary }}{% endblock %}{% block user %}{% block seat %}x{% endblock %}{% endblock %}",
            "must show {{ listing }}",
        ),
        (
            "{% block system %}x{% endblock %}{% block user %}{{ listing }}{% block seat %}x{% endblock %}{% endblock %}",
            "must name {{ guard.canary }}",
        ),
    ],
)
def test_template_that_fails_or_forgets_something_is_refused(
    template: str, said: str, panel: Any, tmp_path: Path
) -> None:
    """A template that cannot be rendered, or lacks the listing or the canary, is refused before any call."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "take.md.j2").write_text(template)
    ran = panel("review", TOOL, "--model", REPLAY, "--prompts", "mine")
    assert ran.code == 2
    assert said in ran.err
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("named", ["--prompts", "--personas"])
def test_folder_that_is_named_must_hold_something(named: str, panel: Any) -> None:
    ran = panel("review", TOOL, "--model", REPLAY, named, "nowhere")
    assert ran.code == 2
    assert "nowhere" in ran.err


@pytest.mark.parametrize("roster", ["skeptic,Skeptic", "skeptic,skeptic", ",", "builder,,skeptic"])
def test_roster_seats_nobody_twice(roster: str, panel: Any) -> None:
    assert panel("review", TOOL, "--model", REPLAY, "--roster", roster).code == 2


def test_two_tools_with_one_slug_are_not_mixed_up(panel: Any, tmp_path: Path) -> None:
    """A stored review and a tool that share a slug are refused, so that neither takes the other's place."""
    for name in ("Alpha", "Beta"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\ndescription: It does a thing.\nslug: same\n")
    replies = tmp_path / "replies"
    replies.mkdir()
    seed = ROOT / "fixtures" / "replies" / "seed" / "smollm3.builder.1.txt"
    (replies / "same.builder.1.txt").write_text(seed.read_text("utf-8"), "utf-8")
    panel("review", "Alpha.yaml", "--model", f"replay:{replies}")
    ran = panel("compare", "outputs/reviews/same.json", "Beta.yaml", "--model", f"replay:{replies}")
    assert ran.code == 2
    assert "shares the slug same" in ran.err


def test_stored_review_that_was_changed_is_refused(panel: Any, tmp_path: Path) -> None:
    """A stored review whose tool or set-up was changed by hand no longer matches its id."""
    panel("review", TOOL, "--model", REPLAY)
    path = tmp_path / "outputs" / "reviews" / "smollm3.json"
    document = json.loads(path.read_text("utf-8"))
    document["review"]["tool"]["name"] = "SmolLM4"
    path.write_text(json.dumps(document), "utf-8")
    ran = panel("compare", path, path)
    assert ran.code == 2
    assert "changed by hand" in ran.err


def test_words_of_a_persona_cannot_drive_the_terminal(panel: Any, tmp_path: Path) -> None:
    text = (ROOT / "personas" / "skeptic.md").read_text("utf-8")
    (tmp_path / "skeptic.md").write_text(
        text.replace("motto: Every", 'motto: "\\e[2JEvery').replace("upon it.", 'it."')
    )
    for arguments in (("personas", "list"), ("personas", "show", "skeptic")):
        ran = panel(*arguments, "--personas", tmp_path)
        assert "\x1b" not in ran.out + ran.err


def test_home_is_understood_in_a_folder_setting(panel: Any, own_world: Path, tmp_path: Path) -> None:
    panel("review", TOOL, "--model", REPLAY, "--out", "~/reports", "-q")
    assert (own_world / "reports" / "reviews" / "smollm3.json").is_file()
    assert not (tmp_path / "~").exists()
