from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.errors import InputError, SettingsError
from panel.settings.fields import Settings
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder without a settings file."""
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_each_value_comes_from_the_strongest_origin(tmp_path: Path) -> None:
    """A flag beats the environment, that the project file, that the user's file, and that the default; each says so."""
    user = write(
        tmp_path / "config" / "panel" / "config.yaml", "timeout: 10\nconcurrency: 11\nretries: 1\nseed: 14\n"
    )
    write(tmp_path / "panel.yaml", "timeout: 20\nconcurrency: 21\nretries: 2\n")
    environ = {"PANEL_TIMEOUT": "30", "PANEL_CONCURRENCY": "31", "XDG_CONFIG_HOME": str(tmp_path / "config")}
    resolved = resolve({"timeout": 40}, None, environ)
    settings = resolved.settings
    assert (settings.timeout, settings.concurrency, settings.retries, settings.seed) == (40, 31, 2, 14)
    assert [resolved.sources[name] for name in ("timeout", "concurrency", "retries", "seed", "effort")] == [
        "--timeout",
        "PANEL_CONCURRENCY",
        "panel.yaml, line 3",
        f"{user}, line 4",
        "default",
    ]


def test_lists_may_be_written_in_words_or_as_a_list(tmp_path: Path) -> None:
    """A roster is a list in a file and words with commas in a variable or a flag."""
    write(tmp_path / "panel.yaml", "roster: [skeptic, builder]\n")
    assert resolve({}, None, {}).settings.roster == ("skeptic", "builder")
    assert resolve({"roster": "builder, creator"}, None, {}).settings.roster == ("builder", "creator")


def test_named_file_takes_the_place_of_the_projects(tmp_path: Path) -> None:
    """A file named on the command line is read in place of the one in the folder."""
    write(tmp_path / "panel.yaml", "seed: 1\nretries: 1\n")
    other = write(tmp_path / "other.yaml", "seed: 2\n")
    settings = resolve({}, other, {}).settings
    assert (settings.seed, settings.retries) == (2, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: openai\nconcurrency: 0\n", "line 2, concurrency"),
        ("model: openai\nretries: 1000000\n", "line 2, retries"),
        ("timeout: .inf\n", "line 1, timeout"),
        ("timeout: .nan\n", "line 1, timeout"),
        ("seed: yes\n", "expected a number, got a boolean"),
        ("voting: maybe\n", "expected true or false"),
        ("newsletter: 'yes'\n", "expected off, panel, or the http or https address that an outside service"),
        ("concurency: 3\n", "did you mean concurrency?"),
        ("budget_usd: -5\n", "line 1, budget_usd: unknown setting"),
        ("template: ../../../etc/passwd\n", "line 1, template: unknown setting"),
        ("model: mock\nhedge: 2.0\n", "line 2, hedge: this setting was removed from panel; delete the line"),
        ("logprobs: true\n", "line 1, logprobs: this setting was removed from panel; delete the line"),
        ("seed: 1\nseed: 2\n", "line 2, seed: seed is given twice"),
        ("base_url: ftp://example.com\n", "base_url: expected an http or https address"),
        ("base_url: https://user:pw@example.com\n", "without credentials"),
        ("roster: [builder, builder]\n", "names the same one twice"),
        ("format: pdf\n", "line 1, format"),
        ("- a\n- b\n", "expected settings as `name: value`, one on each line"),
        ("seed: 1\n---\nseed: 2\n", "expected settings as `name: value`, one on each line"),
        ("seed: &a 1\nretries: *a\n", "alias"),
    ],
)
def test_bad_settings_file_names_file_line_and_field(text: str, message: str, tmp_path: Path) -> None:
    """A settings file that cannot be used is an input error with file, line and field."""
    with pytest.raises(InputError, match=r"panel\.yaml, line \d") as caught:
        resolve({}, write(tmp_path / "panel.yaml", text), {})
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_all_problems_of_a_file_are_listed(tmp_path: Path) -> None:
    """Every problem of a settings file is listed in one run, in the order of its lines."""
    with pytest.raises(InputError) as caught:
        resolve({}, write(tmp_path / "panel.yaml", "retries: 9\nnonsense: 1\nseed: -1\n"), {})
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


def test_bad_flag_and_variable_name_themselves() -> None:
    """A flag or a variable that cannot be used is named as the user wrote it."""
    with pytest.raises(SettingsError, match=r"^--concurrency: .*got 0"):
        resolve({"concurrency": 0}, None, {})
    with pytest.raises(SettingsError, match=r"^PANEL_EFFORT: .*got 'extreme'"):
        resolve({}, None, {"PANEL_EFFORT": "extreme"})


def test_empty_variable_is_not_set() -> None:
    """A variable that is set to nothing changes nothing."""
    assert resolve({}, None, {"PANEL_SEED": ""}).sources["seed"] == "default"


def test_every_setting_says_what_it_means() -> None:
    """No setting lacks a description, and the table of settings has them all."""
    rows = resolve({}, None, {}).rows()
    assert [row["name"] for row in rows] == list(Settings.model_fields)
    assert all(row["meaning"] for row in rows)


def test_credentials_in_an_address_are_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        resolve({"base_url": "https://editor:hunter2@example.org/v1"}, None, {})
    assert "hunter2" not in str(caught.value)
    assert "…@example.org" in str(caught.value)
