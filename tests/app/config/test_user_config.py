from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ticketr.app.config import (
    BadFile,
    BadSetting,
    LoginEntry,
    NotPrivate,
    UnknownKey,
    UnknownWorkspace,
    UserConfig,
    WorkspaceEntry,
    free_name,
    read_user_config,
    remove_workspace,
    store_workspace,
    use_workspace,
)

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
    assert config.in_use == "acme"
    assert config.workspaces == {"acme": WorkspaceEntry("acme", Path("/srv/acme"), SITE, login)}
    assert config.sites == {
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


def test_a_file_that_others_can_read_is_refused(folder: Path) -> None:
    write(folder, "").chmod(0o644)

    with pytest.raises(NotPrivate, match="chmod 600"):
        read_user_config(folder)


def test_a_command_is_in_no_repr(folder: Path) -> None:
    write(folder, "[sites.'https://x']\ntoken_command = 'echo canary'\n")

    assert "canary" not in repr(read_user_config(folder))


def test_an_unknown_name_suggests_the_nearest_one(folder: Path) -> None:
    store_workspace(folder, ACME)

    with pytest.raises(UnknownWorkspace, match=r"no workspace 'acm', did you mean 'acme'\? "):
        read_user_config(folder).named("acm")
    with pytest.raises(UnknownWorkspace, match=r"no workspace 'zzz'\. 'ticketr workspace list'"):
        read_user_config(folder).named("zzz")


def test_a_workspace_is_found_by_any_path_to_its_folder(tmp_path: Path) -> None:
    root, link = tmp_path / "root", tmp_path / "link"
    root.mkdir()
    link.symlink_to(root)
    config = UserConfig(workspaces={"a": WorkspaceEntry("a", link, SITE)})

    assert config.at(root) == config.at(link) == config.workspaces["a"]
    assert config.at(root / "inner") is None
    assert config.at(tmp_path) is None


def test_stored_workspaces_are_read_again_and_the_first_is_in_use(folder: Path) -> None:
    store_workspace(folder, ACME)
    store_workspace(folder, BETA)

    config = read_user_config(folder)
    assert config.workspaces == {"acme": ACME, "beta": BETA}
    assert config.in_use == "acme"
    assert (folder / "config.toml").stat().st_mode & 0o777 == 0o600


def test_storing_again_keeps_other_content_of_the_file(folder: Path) -> None:
    write(
        folder,
        f'# mine\n[workspaces.acme] # work\nfolder = "/old"\nsite = "{SITE}"\n'
        'token_command = "pass jira" # gpg\ncloud_id = "1"\n',
    )

    store_workspace(folder, ACME)

    entry = read_user_config(folder).workspaces["acme"]
    assert entry.folder == ACME.folder
    assert entry.login == LoginEntry("me@acme.com", ("pass", "jira"), "1")
    text = (folder / "config.toml").read_text()
    assert [word for word in ("# mine", "# work", "# gpg") if word not in text] == []


def test_a_login_does_not_move_on_to_another_site(folder: Path) -> None:
    login = LoginEntry("me@acme.com", ("pass", "jira"), "1")
    store_workspace(folder, dataclasses.replace(ACME, login=login))

    store_workspace(folder, WorkspaceEntry("acme", ACME.folder, "https://other.example"))

    entry = read_user_config(folder).workspaces["acme"]
    assert entry == WorkspaceEntry("acme", ACME.folder, "https://other.example", LoginEntry())


def test_using_and_removing_change_only_that(folder: Path) -> None:
    store_workspace(folder, ACME)
    store_workspace(folder, BETA)

    use_workspace(folder, "beta")
    assert read_user_config(folder).in_use == "beta"

    remove_workspace(folder, "beta")
    assert read_user_config(folder) == UserConfig(None, {"acme": ACME})

    remove_workspace(folder, "acme")
    assert read_user_config(folder) == UserConfig()


def test_an_unknown_workspace_can_be_neither_used_nor_removed(folder: Path) -> None:
    store_workspace(folder, ACME)
    before = (folder / "config.toml").read_text()

    with pytest.raises(UnknownWorkspace):
        use_workspace(folder, "beta")
    with pytest.raises(UnknownWorkspace):
        remove_workspace(folder, "beta")

    assert (folder / "config.toml").read_text() == before


def test_a_broken_file_is_not_edited(folder: Path) -> None:
    path = write(folder, "usee = 1\n")

    with pytest.raises(UnknownKey):
        store_workspace(folder, ACME)

    assert path.read_text() == "usee = 1\n"


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
    assert free_name(wanted, UserConfig(workspaces={"acme": ACME})) == name
