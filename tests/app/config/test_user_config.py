"""Test the user's config and ``ticketr.toml``, and docs/workspaces.md about both."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click
import pytest

from ticketr.app.cli.workspace import workspace
from ticketr.app.config import (
    BadFile,
    BadSetting,
    LoginEntry,
    SettingsAccessFailed,
    UnknownWorkspace,
    UserConfig,
    UserNamedField,
    WorkspaceEntry,
    WorkspaceFile,
    add_or_change_workspace,
    read_user_config,
    read_workspace_file,
    remove_workspace,
    use_workspace,
    write_missing_settings,
)
from ticketr.app.config.checks import CONFLICT_STRATEGIES
from ticketr.app.config.errors import SecretInFile
from ticketr.app.config.user_config import _KNOWN_KEYS, _WORKSPACE_KEYS, free_workspace_name
from ticketr.app.config.workspace import is_environment_login_for
from ticketr.app.config.workspace_file import _KNOWN_KEYS as FILE_KEYS, _SYNC_KEYS, WORKSPACE_FILE

SITE = "https://acme.atlassian.net"
ACME = WorkspaceEntry("acme", Path("/srv/acme"), SITE, LoginEntry("me@acme.com"))
BETA = WorkspaceEntry("beta", Path("/srv/beta"), "https://beta.example", LoginEntry())


def write(folder: Path, text: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_everything_that_can_stand_in_it_is_read(folder: Path) -> None:
    write(
        folder,
        f"""
        use = "acme"
        [workspaces.acme]
        folder = "/srv/acme"
        site = "{SITE}/"
        email = "me@acme.com"
        token_command = ["pass", "show", "my jira"]
        cloud_id = "1-2-3"
        [sites."https://BETA.example/"]
        email = ""
        token_command = "op read 'op://x/my token'"
        """,
    )

    config = read_user_config(folder)

    words = ("pass", "show", "my jira")
    login = LoginEntry("me@acme.com", words, "1-2-3")
    assert config.fallback_workspace == "acme"
    assert config.workspaces == {"acme": WorkspaceEntry("acme", Path("/srv/acme"), SITE, login)}
    assert config.login_by_site == {
        "https://beta.example": LoginEntry("", ("op", "read", "op://x/my token"))
    }


def test_without_a_file_nothing_is_set(folder: Path) -> None:
    assert read_user_config(folder) == UserConfig()


def test_a_folder_below_the_users_home_may_be_written_with_a_tilde(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/mia")
    write(folder, f'[workspaces.a]\nfolder = "~/a"\nsite = "{SITE}"\n')

    assert read_user_config(folder).workspaces["a"].folder == Path("/home/mia/a")


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 300.0), ("refresh = 0", 0.0), ("refresh = 90.5", 90.5)]
)
def test_the_seconds_between_two_pulls_of_the_app_are_read(
    text: str, seconds: float, folder: Path
) -> None:
    write(folder, f"[app]\n{text}\n")

    assert read_user_config(folder).auto_pull_seconds == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\nworkspace = 1\n", r"config.toml:2: unknown key 'workspace', did you mean 'workspaces'"),
        ("[workspaces.a]\ntoken = 'canary'\n", r"config.toml:2: unknown key 'token'"),
        ("[sites.'https://x']\nfolder = '/x'\n", r"config.toml:2: unknown key 'folder'"),
        (
            "\n[workspaces.a]\nfolder = '/x'\n",
            r"config.toml:2: the workspace 'a' needs a folder and",
        ),
        ("[workspaces.'a b']\n", r"config.toml:1: the name of a workspace is 'a b': use letters"),
        ("workspaces = 1\n", r"config.toml:1: workspaces must be a table"),
        ("[sites]\nx = {}\n", r"config.toml:2: a site is 'x': write it as https://"),
        (
            "[sites.'https://x']\ntoken_command = 'echo \"canary'\n",
            r"config.toml:2: token_command cannot be split into words: No closing quotation",
        ),
        ("[sites.'https://x']\ntoken_command = ''\n", r"config.toml:2: token_command is empty"),
        ("[sites.'https://x']\ntoken_command = []\n", r"config.toml:2: token_command is empty"),
        (
            "[sites.'https://x']\ntoken_command = ['canary', 1]\n",
            r"config.toml:2: token_command must be a list of texts, .* and here is a number",
        ),
        ("[sites.'https://x']\ntoken_command = 1\n", r"config.toml:2: token_command must be text"),
        ("[app]\nrefesh = 0\n", r"config.toml:2: unknown key 'refesh', did you mean 'refresh'"),
        ("[app]\nrefresh = true\n", r"config.toml:2: refresh must be a number"),
        ("[app]\nrefresh = 5\n", r"config.toml:2: refresh must be from 30 to 86400 seconds, or 0"),
        ("[app]\nrefresh = nan\n", r"config.toml:2: refresh must be from 30"),
    ],
)
def test_an_error_is_reported_with_its_place_and_without_secrets(
    text: str, words: str, folder: Path
) -> None:
    write(folder, text)

    with pytest.raises(BadFile, match=words) as caught:
        read_user_config(folder)

    assert "canary" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("site = 'acme'", r"config.toml:4: site is 'acme': write it as"),
        ("email = 'a:b'", r"config.toml:4: email is 'a:b': it is the e-mail address"),
        ("cloud_id = '../x'", r"config.toml:4: cloud_id is '../x': a cloud ID is letters"),
    ],
)
def test_a_value_that_cannot_be_used_is_reported_with_its_place(
    line: str, words: str, folder: Path
) -> None:
    site = "" if line.startswith("site") else f"site = '{SITE}'"
    write(folder, f"[workspaces.a]\nfolder = '/x'\n{site}\n{line}\n")

    with pytest.raises(BadSetting, match=words):
        read_user_config(folder)


def test_a_command_is_in_no_repr(folder: Path) -> None:
    write(folder, "[sites.'https://x']\ntoken_command = 'echo canary'\n")

    assert "canary" not in repr(read_user_config(folder))


def test_an_unknown_name_suggests_the_nearest_one(folder: Path) -> None:
    add_or_change_workspace(folder, ACME)

    with pytest.raises(UnknownWorkspace, match=r"no workspace 'acm', did you mean 'acme'\? "):
        read_user_config(folder).workspace_named("acm")
    with pytest.raises(UnknownWorkspace, match=r"no workspace 'zzz'\. 'ticketr workspace list'"):
        read_user_config(folder).workspace_named("zzz")


def test_a_workspace_is_found_by_any_path_to_its_folder(tmp_path: Path) -> None:
    root, link = tmp_path / "root", tmp_path / "link"
    root.mkdir()
    link.symlink_to(root)
    config = UserConfig(workspaces={"a": WorkspaceEntry("a", link, SITE)})

    assert config.workspace_at(root) == config.workspace_at(link) == config.workspaces["a"]
    assert config.workspace_at(root / "inner") is None
    assert config.workspace_at(tmp_path) is None


def test_stored_workspaces_are_read_again_and_the_first_is_in_use(folder: Path) -> None:
    add_or_change_workspace(folder, ACME)
    add_or_change_workspace(folder, BETA)

    config = read_user_config(folder)
    assert config.workspaces == {"acme": ACME, "beta": BETA}
    assert config.fallback_workspace == "acme"
    assert (folder / "config.toml").stat().st_mode & 0o777 == 0o600


def test_storing_again_keeps_other_content_of_the_file(folder: Path) -> None:
    write(
        folder,
        f'# mine\n[workspaces.acme] # work\nfolder = "/old"\nsite = "{SITE}"\n'
        'token_command = "pass jira" # gpg\ncloud_id = "1"\n',
    )

    add_or_change_workspace(folder, ACME)

    entry = read_user_config(folder).workspaces["acme"]
    assert entry.folder == ACME.folder
    assert entry.login == LoginEntry("me@acme.com", ("pass", "jira"), "1")
    text = (folder / "config.toml").read_text()
    assert [word for word in ("# mine", "# work", "# gpg") if word not in text] == []


def test_a_login_does_not_move_on_to_another_site(folder: Path) -> None:
    login = LoginEntry("me@acme.com", ("pass", "jira"), "1")
    add_or_change_workspace(folder, dataclasses.replace(ACME, login=login))

    add_or_change_workspace(folder, WorkspaceEntry("acme", ACME.folder, "https://other.example"))

    entry = read_user_config(folder).workspaces["acme"]
    assert entry == WorkspaceEntry("acme", ACME.folder, "https://other.example", LoginEntry())


def test_using_and_removing_change_only_that(folder: Path) -> None:
    add_or_change_workspace(folder, ACME)
    add_or_change_workspace(folder, BETA)

    use_workspace(folder, "beta")
    assert read_user_config(folder).fallback_workspace == "beta"

    remove_workspace(folder, "beta")
    assert read_user_config(folder) == UserConfig(None, {"acme": ACME})

    remove_workspace(folder, "acme")
    assert read_user_config(folder) == UserConfig()


def test_an_unknown_workspace_can_be_neither_used_nor_removed(folder: Path) -> None:
    add_or_change_workspace(folder, ACME)
    before = (folder / "config.toml").read_text()

    with pytest.raises(UnknownWorkspace):
        use_workspace(folder, "beta")
    with pytest.raises(UnknownWorkspace):
        remove_workspace(folder, "beta")

    assert (folder / "config.toml").read_text() == before


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("My Tickets!", "My-Tickets"),
        ("..", "tickets"),
        ("", "tickets"),
        ("Büro", "B-ro"),
        ("acme", "acme-2"),
        ("x" * 80, "x" * 50),
    ],
)
def test_a_new_name_is_like_the_folders_and_free(wanted: str, name: str) -> None:
    assert free_workspace_name(wanted, UserConfig(workspaces={"acme": ACME})) == name


def write_shared(root: Path, text: str) -> Path:
    path = root / "ticketr.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_that_a_shared_file_can_hold_is_read(tmp_path: Path) -> None:
    path = write_shared(
        tmp_path,
        'site = "https://Acme.Atlassian.net/"\nproject = "DEMO"\njql = "labels = a"\n'
        'fields = ["Story Points", "Team"]\n[sync]\nstrategy = "remote"\n',
    )

    file = read_workspace_file(tmp_path)

    assert file == WorkspaceFile(path, SITE, "DEMO", "labels = a", ("Story Points", "Team"), "jira")


def test_no_key_is_needed(tmp_path: Path) -> None:
    path = write_shared(tmp_path, "# nothing yet\n")

    assert read_workspace_file(tmp_path) == WorkspaceFile(path)


def test_fields_can_be_a_table_from_names_to_ids(tmp_path: Path) -> None:
    path = write_shared(
        tmp_path, '[fields]\n" Story  Points" = "customfield_1 "\nTeam = "customfield_2"\n'
    )

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == (
        UserNamedField("Story Points", "customfield_1"),
        UserNamedField("Team", "customfield_2"),
    )
    assert [getattr(each, "mapping_file", None) for each in file.fields] == [str(path)] * 2


def test_a_name_that_is_kept_can_be_said(tmp_path: Path) -> None:
    write_shared(tmp_path, "[fields]\nStatus = 'status'\nType = 'issuetype'\n")

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == (UserNamedField("Status", "status"), UserNamedField("Type", "issuetype"))


def test_a_file_that_wants_no_fields_says_something_of_them(tmp_path: Path) -> None:
    write_shared(tmp_path, "fields = []\n")

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == ()


def test_a_field_that_is_called_like_a_secret_is_none(tmp_path: Path) -> None:
    write_shared(tmp_path, '[fields]\n"Token count" = "customfield_1"\n')

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == (UserNamedField("Token count", "customfield_1"),)


def test_without_the_file_there_is_none(tmp_path: Path) -> None:
    assert read_workspace_file(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('\nsiet = "x"\n', r"ticketr.toml:2: unknown key 'siet', did you mean 'site'\?"),
        ('[sync]\nstategy = "x"\n', r"ticketr.toml:2: unknown key 'stategy', did you mean 'strat"),
        ("zzzzzz = 1", r"ticketr.toml:1: unknown key 'zzzzzz'$"),
        ("[[fields]]\n", r"ticketr.toml:1: fields must be a list of texts"),
        ("[fields]\nA = 1\n", r"ticketr.toml:2: A must be text in quotes, and here is a number"),
        ("[fields]\nA = ' '\n", r"ticketr.toml:2: 'A' needs the ID of a field, like customfield_"),
        ("[fields]\n' ' = 'x'\n", r"ticketr.toml:2: ' ' needs the ID of a field"),
        ("[fields]\nStatus = 'x'\n", r"ticketr.toml:2: 'Status' is the line of a field of its own"),
        ("[fields]\nA = 'x'\nType = 'y'\n", r"ticketr.toml:3: 'Type' is the line of a field"),
        ("[fields]\nKind = 'issuetype'\n", r"ticketr.toml:2: 'Type' .* and keeps its name"),
        ("[fields]\nA = 'x'\nB = 'x'\n", r"ticketr.toml:3: 'B' is the same field as 'A'; a field"),
        ("sync = 1\n", r"ticketr.toml:1: sync must be a table"),
        ("project = 1\n", r"ticketr.toml:1: project must be text in quotes, and here is a number"),
        ('email = "me@x"\n', r"ticketr.toml:1: email differs from person to person"),
        ('\n\ncloud_id = "1"\n', r"ticketr.toml:3: cloud_id differs from person to person"),
        ("site = \n", r"ticketr.toml:1: this is not TOML"),
    ],
)
def test_an_error_is_reported_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    write_shared(tmp_path, text)

    with pytest.raises(BadFile, match=words):
        read_workspace_file(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'site = "acme"\n',
            r"ticketr.toml:1: site is 'acme': write it as https://",
        ),
        ('\nsite = "https://me:canary@acme"\n', r"ticketr.toml:2: site is '...@acme': leave the"),
        ('project = "x"\n', r"ticketr.toml:1: project is 'x': a project key is upper-case"),
        ('jql = " "\n', r"ticketr.toml:1: jql is ' ': the query is empty"),
        (
            '[sync]\nstrategy = "jirra"\n',
            r"ticketr.toml:2: strategy is 'jirra': .*\(did you mean jira\?\)",
        ),
    ],
)
def test_a_shared_value_that_cannot_be_used_is_reported_with_its_place(
    text: str, words: str, tmp_path: Path
) -> None:
    write_shared(tmp_path, text)

    with pytest.raises(BadSetting, match=words) as caught:
        read_workspace_file(tmp_path)

    assert "canary" not in repr(caught.value)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('token = "canary"\n', "token", 1),
        ('\napi-key = "canary"\n', "api-key", 2),
        ('JIRA_API_TOKEN = "canary"\n', "JIRA_API_TOKEN", 1),
        ('Password = "canary"\n', "Password", 1),
        ('token_command = "echo canary"\n', "token_command", 1),
        ('[sync]\nclient_secret = "canary"\n', "client_secret", 2),
        ('[other.deep]\ntoken = ["canary"]\n', "token", 2),
        ('siet = 1\ntoken = "canary"\n', "token", 2),
    ],
)
def test_a_secret_is_refused_with_the_reason_and_never_shown(
    text: str, key: str, line: int, tmp_path: Path
) -> None:
    write_shared(tmp_path, text)

    with pytest.raises(SecretInFile, match="shared through git") as caught:
        read_workspace_file(tmp_path)

    assert caught.value.line == line
    assert f"{key!r} has no place here" in str(caught.value)
    assert "canary" not in str(caught.value) + repr(caught.value)


def test_missing_settings_are_added_above_the_tables_and_comments_stay(tmp_path: Path) -> None:
    path = write_shared(
        tmp_path, '# ours\nproject = "DEMO"  # the shop\n\n[sync]\nstrategy = "local"\n'
    )

    assert write_missing_settings(tmp_path, WorkspaceFile(path, SITE, "DEMO", "labels = a"))

    assert path.read_text() == (
        f'# ours\nproject = "DEMO"  # the shop\nsite = "{SITE}"\njql = "labels = a"\n\n'
        '[sync]\nstrategy = "local"\n'
    )


def test_mapped_fields_are_added_as_a_table(tmp_path: Path) -> None:
    path = write_shared(tmp_path, '[sync]\nstrategy = "local"\n')
    points = UserNamedField("Story Points", "customfield_1")

    assert write_missing_settings(tmp_path, WorkspaceFile(path, SITE, fields=("Team", points)))

    assert path.read_text() == (
        f'site = "{SITE}"\n\n[sync]\nstrategy = "local"\n\n'
        '[fields]\n"Story Points" = "customfield_1"\n'
    )


@pytest.mark.parametrize("fields", ["fields = []", '[fields]\nTeam = "customfield_2"'])
def test_mapped_fields_are_not_added_to_those_that_a_team_has_agreed_on(
    fields: str, tmp_path: Path
) -> None:
    path = write_shared(tmp_path, f"{fields}\n")
    points = UserNamedField("Story Points", "customfield_1")

    assert not write_missing_settings(tmp_path, WorkspaceFile(path, fields=(points,)))

    assert path.read_text() == f"{fields}\n"


def test_a_new_file_says_what_it_is_and_can_be_read(tmp_path: Path) -> None:
    root = tmp_path / "new" / "folder"
    wanted = WorkspaceFile(root / "ticketr.toml", SITE, "DEMO", 'text ~ "a \\ b"\nOR x = 1')

    assert write_missing_settings(root, wanted)

    assert read_workspace_file(root) == replace(wanted, keeps_comments=True)
    assert (root / "ticketr.toml").read_text().startswith("# What ticketr knows")
    assert [each.name for each in root.iterdir()] == ["ticketr.toml"]


def test_a_workspace_that_was_synced_before_gets_no_comments(tmp_path: Path) -> None:
    (tmp_path / ".ticketr").mkdir()
    write_missing_settings(tmp_path, WorkspaceFile(tmp_path / "ticketr.toml", SITE))
    (tmp_path / "other").mkdir()
    there = write_shared(tmp_path / "other", f'site = "{SITE}"\n')
    write_missing_settings(there.parent, WorkspaceFile(there, SITE, "DEMO"))

    for folder in (tmp_path, there.parent):
        written = read_workspace_file(folder)
        assert written is not None
        assert not written.keeps_comments


def test_existing_settings_are_not_overwritten(tmp_path: Path) -> None:
    path = write_shared(tmp_path, f'site = "{SITE}"\nproject = "DEMO"\n')

    with pytest.raises(BadSetting, match=r"project is 'DEMO': not 'OPS'; change it there"):
        write_missing_settings(tmp_path, WorkspaceFile(path, SITE, "OPS"))


@pytest.mark.parametrize("place", ["autostart", "root/config"])
def test_nothing_is_written_through_a_link(tmp_path: Path, place: str) -> None:
    root, target = tmp_path / "root", tmp_path / place
    root.mkdir()
    (root / "ticketr.toml").symlink_to(target)

    with pytest.raises(BadFile, match="nothing is written through a link"):
        write_missing_settings(root, WorkspaceFile(root / "ticketr.toml", SITE))

    assert not target.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    root = tmp_path / "file" / "inner"

    with pytest.raises(SettingsAccessFailed, match="file/inner"):
        write_missing_settings(root, WorkspaceFile(root / "ticketr.toml", SITE))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('comments = "yes"', "comments must be true or false"),
        ("links = 1", "links must be true or false"),
        ('attachments = "all"', "attachments"),
    ],
)
def test_what_files_hold_is_checked(tmp_path: Path, line: str, problem: str) -> None:
    write_shared(tmp_path, f"{line}\n")

    with pytest.raises((BadFile, BadSetting), match=problem):
        read_workspace_file(tmp_path)


PAGE = (Path(__file__).parents[3] / "docs" / "workspaces.md").read_text(encoding="utf-8")
SHARED, OWN = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def missing(names: Iterable[str], text: str) -> list[str]:
    return [name for name in names if not re.search(rf"(?<![\w-]){name}\b", text)]


def test_the_example_of_ticketr_toml_can_be_read_and_has_every_key(tmp_path: Path) -> None:
    (tmp_path / WORKSPACE_FILE).write_text(SHARED)

    assert read_workspace_file(tmp_path) is not None
    assert missing((*FILE_KEYS, *_SYNC_KEYS, *CONFLICT_STRATEGIES), SHARED) == []


def test_the_example_of_the_users_config_can_be_read_and_has_every_key(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / "config.toml").write_text(OWN)
    (folder / "config.toml").chmod(0o600)

    assert read_user_config(folder).fallback_workspace == "acme"
    assert missing((*_KNOWN_KEYS, *_WORKSPACE_KEYS), OWN) == []


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
            is_ours = is_environment_login_for(
                site, jira_url=named, confirmed_site=confirmed, config_sites=known
            )
            if site not in {named, confirmed}:
                expected = ("refused", "refused")
            else:
                expected = ("goes there" if is_ours else "does not", "goes there")
            assert site == (file or confirmed or named)
            assert (environment, stored) == expected, (named, confirmed, site)
            told += 1
    assert told == 12
