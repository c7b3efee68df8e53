"""The user's settings: workspaces, sites, logins. Owner of platformdirs, keyring and tomlkit.

`find_token`, `store_token` and `forget_token` are async. All other functions may block on small
files: call them before Trio runs, or in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._lazy import import_on_use
from ticketr.app.config.aliases import BUILT_IN, UsedAlias, checked_alias, expand_aliases
from ticketr.app.config.checks import (
    CONFIRM_ABOVE,
    DOWNLOAD,
    OLDER_STRATEGIES,
    STRATEGIES,
    MappedField,
    WantedField,
    checked_cloud_id,
    checked_email,
    checked_jql,
    checked_name,
    checked_project,
    checked_site,
    reserved_name,
)
from ticketr.app.config.errors import (
    BadFile,
    BadSetting,
    ConfigError,
    ForeignState,
    MissingSetting,
    NotPrivate,
    NoWorkspace,
    SettingsFailed,
    SiteNotConfirmed,
    TokenFailed,
    UnknownKey,
    UnknownWorkspace,
    UnsafePath,
    WorkspaceTaken,
)
from ticketr.app.config.files import (
    LINK_REASON,
    config_folder,
    open_new,
    open_write_folder,
    prepare_config_folder,
    replace_atomically,
    write_new,
)
from ticketr.app.config.go_file import GO_FILE, read_go_file
from ticketr.app.config.state_folder import (
    LOCK_FILE,
    STATE_FILE,
    STATE_FOLDER,
    ListMemory,
    StateFolder,
    read_list_memory,
    require_database,
    store_list_memory,
)
from ticketr.app.config.tokens import FoundToken, TokenSource, find_token, forget_token, store_token
from ticketr.app.config.tomlfile import Table, read_text
from ticketr.app.config.user_config import (
    LoginEntry,
    UserConfig,
    WorkspaceEntry,
    add_mark,
    free_name,
    has_mark,
    new_mark,
    open_mark,
    read_keys,
    read_user_config,
    remove_alias,
    remove_workspace,
    store_alias,
    store_workspace,
    use_workspace,
)
from ticketr.app.config.workspace import (
    TOKEN_NAMES,
    Workspace,
    find_folder,
    find_root,
    read_environment,
    resolve_workspace,
)
from ticketr.app.config.workspace_file import (
    WORKSPACE_FILE,
    WorkspaceFile,
    missing_in_file,
    read_workspace_file,
    write_workspace_file,
)

if TYPE_CHECKING:
    from ticketr.app.config.state_names import known_assignees, known_keys, known_statuses
    from ticketr.app.config.support_log import SupportLog
    from ticketr.app.config.yamlfile import read_block

#: The modules of names that few commands need, each imported when its first name is looked up.
_HOMES = dict.fromkeys(("known_assignees", "known_keys", "known_statuses"), "state_names")
_HOMES |= {"read_block": "yamlfile", "SupportLog": "support_log"}

if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist
    __getattr__ = import_on_use(__name__, _HOMES)
