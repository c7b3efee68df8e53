"""Check docs/workspaces.md against the program."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from ticketr.app.cli.workspace import workspace
from ticketr.app.config import TokenSource, read_user_config, read_workspace_file
from ticketr.app.config.checks import STRATEGIES
from ticketr.app.config.token_rule import SiteTrust, is_environment_for, trust_in
from ticketr.app.config.user_config import _KEYS, _WORKSPACE_KEYS
from ticketr.app.config.workspace_file import _KEYS as FILE_KEYS, _SYNC_KEYS, WORKSPACE_FILE

PAGE = (Path(__file__).parents[3] / "docs" / "workspaces.md").read_text(encoding="utf-8")
SHARED, OWN = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def missing(names: Iterable[str], text: str) -> list[str]:
    return [name for name in names if not re.search(rf"(?<![\w-]){name}\b", text)]


def test_the_example_of_ticketr_toml_can_be_read_and_has_every_key(tmp_path: Path) -> None:
    (tmp_path / WORKSPACE_FILE).write_text(SHARED)

    assert read_workspace_file(tmp_path) is not None
    assert missing((*FILE_KEYS, *_SYNC_KEYS, *STRATEGIES), SHARED) == []


def test_the_example_of_the_users_config_can_be_read_and_has_every_key(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / "config.toml").write_text(OWN)
    (folder / "config.toml").chmod(0o600)

    assert read_user_config(folder).in_use == "acme"
    assert missing((*_KEYS, *_WORKSPACE_KEYS), OWN) == []


@pytest.mark.parametrize("name", sorted(workspace.commands))
def test_every_command_and_its_options_are_reported(name: str) -> None:
    assert f"ticketr workspace {name}" in PAGE
    options = [
        option
        for parameter in workspace.commands[name].params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    ]
    assert missing(options, PAGE) == []


def test_every_source_of_a_token_is_reported() -> None:
    assert [source.value for source in TokenSource if f"`{source.value}`" not in PAGE] == []


def rows() -> Iterable[list[str]]:
    """Return the rows of the table of the token rule."""
    table = PAGE.partition("| `ticketr.toml` names |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_of_the_token_rule_is_the_rule() -> None:
    words: dict[str, list[str | None]] = {
        "": [None],
        "A": ["A"],
        "B": ["B"],
        "anything": [None, "A", "B"],
        "nothing, or B": [None, "B"],
    }
    told = 0
    for file, url, config, site, environment, stored in rows():
        for named, confirmed in itertools.product(words[url], words[config]):
            known = {confirmed} if confirmed else set()
            is_ours = is_environment_for(site, named=named, confirmed=confirmed, known=known)
            if trust_in(site, named=named, confirmed=confirmed) is SiteTrust.NONE:
                expected = ("refused", "refused")
            else:
                expected = ("goes there" if is_ours else "does not", "goes there")
            assert site == (file or confirmed or named)
            assert (environment, stored) == expected, (named, confirmed, site)
            told += 1
    assert told == 12
