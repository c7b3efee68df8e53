from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.app.config import (
    BadFile,
    BadSetting,
    MappedField,
    SettingsFailed,
    UnknownKey,
    WorkspaceFile,
    read_workspace_file,
    write_schema,
    write_workspace_file,
)
from ticketr.app.config.errors import SecretInFile

SITE = "https://acme.atlassian.net"


def write(root: Path, text: str) -> Path:
    path = root / "ticketr.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_that_can_stand_in_it_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'site = "https://Acme.Atlassian.net/"\nproject = "DEMO"\njql = "labels = a"\n'
        'fields = ["Story Points", "Team"]\n[sync]\nstrategy = "remote"\n',
    )

    file = read_workspace_file(tmp_path)

    assert file == WorkspaceFile(path, SITE, "DEMO", "labels = a", ("Story Points", "Team"), "jira")


def test_no_key_is_needed(tmp_path: Path) -> None:
    path = write(tmp_path, "# nothing yet\n")

    assert read_workspace_file(tmp_path) == WorkspaceFile(path)


def test_fields_can_be_a_table_from_names_to_ids(tmp_path: Path) -> None:
    path = write(
        tmp_path, '[fields]\n" Story  Points" = "customfield_1 "\nTeam = "customfield_2"\n'
    )

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == (
        MappedField("Story Points", "customfield_1"),
        MappedField("Team", "customfield_2"),
    )
    assert [getattr(each, "place", None) for each in file.fields] == [str(path)] * 2


def test_a_name_that_is_kept_can_be_said(tmp_path: Path) -> None:
    write(tmp_path, "[fields]\nStatus = 'status'\nType = 'issuetype'\n")

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == (MappedField("Status", "status"), MappedField("Type", "issuetype"))


def test_a_file_that_wants_no_fields_says_something_of_them(tmp_path: Path) -> None:
    write(tmp_path, "fields = []\n")

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == ()


def test_a_field_that_is_called_like_a_secret_is_none(tmp_path: Path) -> None:
    write(tmp_path, '[fields]\n"Token count" = "customfield_1"\n')

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.fields == (MappedField("Token count", "customfield_1"),)


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
    write(tmp_path, text)

    with pytest.raises(BadFile, match=words):
        read_workspace_file(tmp_path)


def test_an_unknown_key_suggests_the_nearest_one(tmp_path: Path) -> None:
    path = write(tmp_path, "Project = 'X'\n")

    with pytest.raises(UnknownKey) as caught:
        read_workspace_file(tmp_path)

    assert (caught.value.path, caught.value.line) == (str(path), 1)
    assert (caught.value.key, caught.value.nearest) == ("Project", "project")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('site = "acme"\n', r"ticketr.toml:1: site is 'acme': write it as https://"),
        ('\nsite = "https://me:canary@acme"\n', r"ticketr.toml:2: site is '...@acme': leave the"),
        ('project = "x"\n', r"ticketr.toml:1: project is 'x': a project key is upper-case"),
        ('jql = " "\n', r"ticketr.toml:1: jql is ' ': the query is empty"),
        (
            '[sync]\nstrategy = "jirra"\n',
            r"ticketr.toml:2: strategy is 'jirra': .*\(did you mean jira\?\)",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_reported_with_its_place(
    text: str, words: str, tmp_path: Path
) -> None:
    write(tmp_path, text)

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
    write(tmp_path, text)

    with pytest.raises(SecretInFile, match="shared through git") as caught:
        read_workspace_file(tmp_path)

    assert (caught.value.key, caught.value.line) == (key, line)
    assert "canary" not in str(caught.value) + repr(caught.value)


def test_missing_settings_are_added_above_the_tables_and_comments_stay(tmp_path: Path) -> None:
    path = write(tmp_path, '# ours\nproject = "DEMO"  # the shop\n\n[sync]\nstrategy = "local"\n')

    assert write_workspace_file(tmp_path, WorkspaceFile(path, SITE, "DEMO", "labels = a"))

    assert path.read_text() == (
        f'# ours\nproject = "DEMO"  # the shop\nsite = "{SITE}"\njql = "labels = a"\n\n'
        '[sync]\nstrategy = "local"\n'
    )


def test_mapped_fields_are_added_as_a_table(tmp_path: Path) -> None:
    path = write(tmp_path, '[sync]\nstrategy = "local"\n')
    points = MappedField("Story Points", "customfield_1")

    assert write_workspace_file(tmp_path, WorkspaceFile(path, SITE, fields=("Team", points)))

    assert path.read_text() == (
        f'site = "{SITE}"\n\n[sync]\nstrategy = "local"\n\n'
        '[fields]\n"Story Points" = "customfield_1"\n'
    )


@pytest.mark.parametrize("fields", ["fields = []", '[fields]\nTeam = "customfield_2"'])
def test_mapped_fields_are_not_added_to_those_that_a_team_has_agreed_on(
    fields: str, tmp_path: Path
) -> None:
    path = write(tmp_path, f"{fields}\n")
    points = MappedField("Story Points", "customfield_1")

    assert not write_workspace_file(tmp_path, WorkspaceFile(path, fields=(points,)))

    assert path.read_text() == f"{fields}\n"


def test_a_new_file_says_what_it_is_and_can_be_read(tmp_path: Path) -> None:
    root = tmp_path / "new" / "folder"
    wanted = WorkspaceFile(root / "ticketr.toml", SITE, "DEMO", 'text ~ "a \\ b"\nOR x = 1')

    assert write_workspace_file(root, wanted)

    assert read_workspace_file(root) == wanted
    assert (root / "ticketr.toml").read_text().startswith("# What ticketr knows")
    assert [each.name for each in root.iterdir()] == ["ticketr.toml"]


def test_a_file_with_all_settings_is_not_changed(tmp_path: Path) -> None:
    path = write(tmp_path, f'site="{SITE}"')
    before = path.stat()

    assert not write_workspace_file(tmp_path, WorkspaceFile(path, SITE))

    assert path.stat() == before


def test_existing_settings_are_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path, f'site = "{SITE}"\nproject = "DEMO"\n')

    with pytest.raises(BadSetting, match=r"project is 'DEMO': not 'OPS'; change it there"):
        write_workspace_file(tmp_path, WorkspaceFile(path, SITE, "OPS"))


@pytest.mark.parametrize("place", ["autostart", "root/config"])
def test_nothing_is_written_through_a_link(tmp_path: Path, place: str) -> None:
    root, target = tmp_path / "root", tmp_path / place
    root.mkdir()
    (root / "ticketr.toml").symlink_to(target)

    with pytest.raises(BadFile, match="nothing is written through a link"):
        write_workspace_file(root, WorkspaceFile(root / "ticketr.toml", SITE))

    assert not target.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    root = tmp_path / "file" / "inner"

    with pytest.raises(SettingsFailed, match="file/inner"):
        write_workspace_file(root, WorkspaceFile(root / "ticketr.toml", SITE))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('comments = "yes"', "comments must be true or false"),
        ("links = 1", "links must be true or false"),
        ('attachments = "all"', "attachments"),
    ],
)
def test_what_files_hold_is_checked(tmp_path: Path, line: str, problem: str) -> None:
    write(tmp_path, f"{line}\n")

    with pytest.raises((BadFile, BadSetting), match=problem):
        read_workspace_file(tmp_path)


def test_files_may_hold_more(tmp_path: Path) -> None:
    text = 'comments = true\nlinks = false\nattachments = "list"\n'
    write(tmp_path, text)

    found = read_workspace_file(tmp_path)

    assert found is not None
    assert (found.comments, found.links, found.attachments) == (True, False, "list")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_fields_of_a_project_are_written_with_the_line_ends_of_the_file(
    tmp_path: Path, end: str
) -> None:
    path = tmp_path / "ticketr.toml"
    mine = f'project = "DEMO"{end}links = true{end}'
    path.write_bytes(mine.encode())

    for fields in (["Old"], ["Type", "Priority"]):
        write_schema(tmp_path, fields)

    lines = path.read_bytes().decode().removeprefix(mine).split(end)
    assert lines[0] == ""
    assert lines[2:] == ["#   Type", "#   Priority", "# [end of schema]", ""]
    assert not any("\r" in line or "\n" in line for line in lines)
