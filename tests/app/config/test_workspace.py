"""Test which workspace is used, and which settings it gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ticketr.app.config import (
    BadSetting,
    LoginEntry,
    MissingSetting,
    UnknownKey,
    Workspace,
    WorkspaceEntry,
    add_or_change_workspace,
    find_workspace_root,
    resolve_workspace,
    use_workspace,
)

SITE = "https://acme.atlassian.net"
ENVIRONMENT = {
    "JIRA_URL": SITE,
    "JIRA_EMAIL": "me@acme.com",
    "JIRA_API_TOKEN": "canary",
    "JIRA_PROJECT_KEY": "ENV",
}


class Machine:
    """A user's folders, some of them workspaces."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = home / "config"
        self.environ = {"TICKETR_CONFIG_DIR": str(self.config)}

    def folder(self, name: str, text: str | None = None, *, state: bool = False) -> Path:
        """Make a folder, with a ``ticketr.toml`` or a ``.ticketr`` in it on request."""
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        if text is not None:
            (folder / "ticketr.toml").write_text(text)
        if state:
            (folder / ".ticketr").mkdir()
        return folder

    def add(self, name: str, site: str = SITE, **login: Any) -> Path:
        """Add a workspace, in the folder of that name, to the user's config."""
        folder = self.folder(name)
        add_or_change_workspace(
            self.config, WorkspaceEntry(name, folder, site, LoginEntry(**login))
        )
        return folder

    def resolve(self, here: Path, **options: Any) -> Workspace:
        return resolve_workspace(self.environ, here, **options)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_workspace_is_found_upwards(machine: Machine) -> None:
    by_state = machine.folder("a", state=True)
    by_file = machine.folder("b", "")

    assert find_workspace_root(machine.folder("a/x/y")) == by_state
    assert find_workspace_root(machine.folder("b/x/y")) == by_file
    assert find_workspace_root(by_file) == by_file


def test_the_nearest_workspace_of_any_kind_wins(machine: Machine) -> None:
    machine.folder("a", "", state=True)
    inner = machine.folder("a/b", state=True)
    innermost = machine.folder("a/b/c", "")

    assert find_workspace_root(machine.folder("a/b/x")) == inner
    assert find_workspace_root(machine.folder("a/b/c/x")) == innermost


def test_a_folder_that_the_user_has_added_is_one_without_any_file(machine: Machine) -> None:
    root = machine.add("acme")

    assert machine.resolve(machine.folder("acme/x")).root == root
    assert machine.resolve(machine.folder("acme/x")).name == "acme"


def test_a_folder_that_only_looks_like_a_workspace_is_none(machine: Machine) -> None:
    folder = machine.folder("a")
    (folder / "ticketr.toml").mkdir()
    (folder / ".ticketr").touch()

    assert find_workspace_root(folder) is None


def test_an_unreadable_folder_is_skipped(machine: Machine) -> None:
    root = machine.folder("a", "")

    assert find_workspace_root(root / ("x" * 300)) == root


def test_options_come_before_the_current_folder_and_that_before_the_one_in_use(
    machine: Machine,
) -> None:
    acme, beta = machine.add("acme"), machine.add("beta")
    use_workspace(machine.config, "beta")
    here = machine.folder("here", "")
    nowhere = machine.folder("nowhere")

    assert machine.resolve(here, name="acme").root == acme
    assert machine.resolve(here, folder=acme).root == acme
    assert machine.resolve(here).root == here
    assert machine.resolve(nowhere).root == beta


def test_with_the_environment_alone_the_current_folder_is_not_one_yet(machine: Machine) -> None:
    here = machine.folder("here")
    machine.environ |= ENVIRONMENT

    workspace = machine.resolve(here)

    assert workspace.is_bare_current_folder
    assert (workspace.name, workspace.root) == ("here", here)
    assert (workspace.site, workspace.project) == (SITE, "ENV")
    assert workspace.login == LoginEntry("me@acme.com")
    assert workspace.environment_login_fits_site
    assert workspace.site_error is None


def test_a_folder_is_a_workspace_by_its_file_its_state_or_the_users_word(machine: Machine) -> None:
    nothing, stray = machine.folder("nothing"), machine.folder("stray", state=True)
    (stray / ".ticketr.yaml").write_text("defaults:\n  project_key: DEMO\n")
    used = machine.folder("used", state=True)
    (used / ".ticketr" / "state.db").touch()
    assert all(machine.resolve(each).is_bare_current_folder for each in (nothing, stray))
    assert not machine.resolve(nothing, folder=nothing).is_bare_current_folder

    added = machine.add("added")

    known = (machine.folder("file", ""), used, added)
    assert not any(machine.resolve(each).is_bare_current_folder for each in known)
    workspace = machine.resolve(nothing)
    assert workspace.root == added  # it is the one in use
    assert not workspace.is_bare_current_folder


def test_with_nothing_at_all_there_is_still_a_folder(machine: Machine) -> None:
    workspace = machine.resolve(machine.home)

    assert workspace == Workspace(machine.home.name, machine.home, is_bare_current_folder=True)
    with pytest.raises(MissingSetting, match=r"JIRA_URL is not set: .*workspace add"):
        workspace.required_confirmed_site()
    with pytest.raises(MissingSetting, match="JIRA_PROJECT_KEY or --project is not set: the key"):
        workspace.required_project()


def test_a_folder_given_by_option_is_not_searched_upwards(machine: Machine) -> None:
    machine.folder("a", 'project = "OUTER"\n')
    inner = machine.folder("a/b")

    workspace = machine.resolve(machine.home, folder=inner)

    assert (workspace.root, workspace.project) == (inner, None)


def test_a_folder_given_by_option_need_not_exist(machine: Machine) -> None:
    assert machine.resolve(machine.home, folder=machine.home / "new").name == "new"


def test_a_name_and_a_folder_together_are_wrong_usage(machine: Machine) -> None:
    with pytest.raises(
        BadSetting, match=r"--folder is 'x': give a folder or --workspace, not both"
    ):
        machine.resolve(machine.home, name="a", folder=Path("x"))


@pytest.mark.parametrize("by_name", [True, False])
def test_a_folder_that_is_gone_is_not_made_again(machine: Machine, *, by_name: bool) -> None:
    machine.add("acme").rmdir()

    with pytest.raises(BadSetting, match=r"the folder of acme is .*it is gone: bring it back"):
        machine.resolve(machine.home, name="acme" if by_name else None)


def test_everything_in_the_file_is_settled(machine: Machine) -> None:
    root = machine.folder(
        "a",
        f'site = "{SITE}"\nproject = "FILE"\njql = "labels = a"\nfields = ["Team"]\n'
        'inherit = false\n[sync]\nstrategy = "local"\n',
    )
    machine.environ |= ENVIRONMENT | {"JIRA_STORY_TYPE": "Story", "JIRA_SUBTASK_TYPE": "Step"}

    workspace = machine.resolve(root)

    assert (workspace.project, workspace.jql) == ("FILE", "labels = a")
    assert (workspace.fields, workspace.file.strategy) == (("Team",), "mine")
    assert (workspace.default_draft_type, workspace.default_subtask_type) == ("Story", "Step")
    assert not workspace.file.new_subtasks_inherit
    assert machine.resolve(machine.folder("b", "")).file.new_subtasks_inherit
    assert machine.resolve(root, project="OPTION").project == "OPTION"


def test_the_users_config_comes_before_the_environment(machine: Machine) -> None:
    root = machine.add("acme", email="config@acme.com", cloud_id="1")
    machine.environ |= ENVIRONMENT

    login = machine.resolve(root).login

    assert login == LoginEntry("config@acme.com", (), "1")


def test_a_workspaces_own_login_comes_before_its_sites(machine: Machine) -> None:
    root = machine.add("acme", email="workspace@acme.com")
    path = machine.config / "config.toml"
    sites = f'[sites."{SITE}"]\nemail = "site@acme.com"\ncloud_id = "1"\ntoken_command = "pass"\n'
    path.write_text(f"{path.read_text()}\n{sites}")

    assert machine.resolve(root).login == LoginEntry("workspace@acme.com", ("pass",), "1")


def test_an_empty_email_of_the_workspace_counts(machine: Machine) -> None:
    root = machine.add("acme", email="")
    machine.environ |= ENVIRONMENT

    assert machine.resolve(root).login.email == ""


def test_an_invalid_project_in_the_environment_is_an_error_unless_another_counts(
    machine: Machine,
) -> None:
    machine.environ |= ENVIRONMENT | {"JIRA_PROJECT_KEY": "my project"}

    with pytest.raises(BadSetting, match="JIRA_PROJECT_KEY is 'my project'"):
        machine.resolve(machine.home)
    assert machine.resolve(machine.home, project="DEMO").required_project() == "DEMO"


def test_an_invalid_project_option_is_wrong_usage(machine: Machine) -> None:
    with pytest.raises(BadSetting, match="--project is 'x'"):
        machine.resolve(machine.home, project="x")


def test_a_broken_file_is_an_error_for_its_own_workspace_alone(machine: Machine) -> None:
    broken, fine = machine.folder("a", "siet = 1\n"), machine.folder("b", "")

    with pytest.raises(UnknownKey, match="did you mean 'site'"):
        machine.resolve(broken)
    assert machine.resolve(fine).root == fine


def test_a_proposed_workspace_is_resolved_before_it_is_stored(machine: Machine) -> None:
    root = machine.folder("a", f'site = "{SITE}"\nproject = "FILE"\n')
    entry = WorkspaceEntry("new", root, SITE, LoginEntry("me@acme.com"))

    workspace = machine.resolve(machine.home, proposed=entry)

    assert (workspace.name, workspace.root, workspace.project) == ("new", root, "FILE")
    assert workspace.required_confirmed_site() == SITE
    assert workspace.login.email == "me@acme.com"
    assert not machine.config.exists()


def test_two_workspaces_of_one_site_may_have_two_accounts(machine: Machine) -> None:
    mine, ours = machine.add("mine", email="me@acme.com"), machine.add("ours", email="bot@acme.com")

    assert machine.resolve(mine).login.email == "me@acme.com"
    assert machine.resolve(ours).login.email == "bot@acme.com"


def test_a_workspace_holds_no_secret(machine: Machine) -> None:
    root = machine.add("acme", token_command=("echo", "canary"))
    machine.environ |= ENVIRONMENT

    assert "canary" not in repr(machine.resolve(root))
