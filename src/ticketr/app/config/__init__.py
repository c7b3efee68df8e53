"""The user's settings: workspaces, sites, logins. Owner of platformdirs, keyring and tomlkit.

`find_token` is async. All other functions may block on small files, `store_token` and `forget_token`
on the keyring: call them before Trio runs, or in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._lazy import import_on_use, type_checking_imports
from ticketr.app.config.aliases import (
    BUILT_IN_ALIASES,
    UsedAlias,
    checked_alias_name,
    expand_aliases,
)
from ticketr.app.config.checks import (
    CONFIRM_ABOVE_WRITES,
    CONFLICT_STRATEGIES,
    FORMER_STRATEGY_NAMES,
    NameOrUserNamedField,
    UserNamedField,
    checked_cloud_id,
    checked_email,
    checked_jql,
    checked_project,
    checked_site,
    checked_workspace_name,
    conflicting_reserved_name,
)
from ticketr.app.config.errors import (
    BadFile,
    BadSetting,
    ConfigError,
    MissingSetting,
    NotPrivate,
    NoWorkspace,
    SettingsAccessFailed,
    SiteNotConfirmed,
    TokenFailed,
    UnknownKey,
    UnknownWorkspace,
    UntrustedState,
    WorkspaceTaken,
    WrongFileKind,
)
from ticketr.app.config.files import (
    LINK_REFUSED_REASON,
    NEW_FILE_FLAGS,
    config_folder,
    lock_config_folder,
    open_write_folder,
    replace_atomically,
    write_new,
)
from ticketr.app.config.go_file import GO_SETTINGS_FILE, read_go_fields
from ticketr.app.config.state_folder import (
    LOCK_FILE,
    STATE_FILE,
    STATE_FOLDER,
    SavedListView,
    StateFolder,
    read_saved_list_view,
    refuse_database_links,
    store_list_view,
)
from ticketr.app.config.tokens import SiteLogin, TokenSource, find_token, forget_token, store_token
from ticketr.app.config.tomlfile import Table, read_text
from ticketr.app.config.user_config import (
    LoginEntry,
    UserConfig,
    WorkspaceEntry,
    add_or_change_workspace,
    add_owner_mark,
    has_owner_mark,
    read_keymap_table,
    read_or_make_owner_mark,
    read_user_config,
    remove_alias,
    remove_workspace,
    store_user_alias,
    use_workspace,
)
from ticketr.app.config.workspace import (
    TOKEN_VARIABLES,
    Workspace,
    find_workspace_root,
    read_jira_variables,
    resolve_workspace,
    resolve_workspace_folder,
)
from ticketr.app.config.workspace_file import (
    WORKSPACE_FILE,
    WorkspaceFile,
    find_missing_settings,
    read_workspace_file,
    write_missing_settings,
)

if TYPE_CHECKING:
    from ticketr.app.config.state_names import find_known_keys, find_value_names
    from ticketr.app.config.support_log import SupportLog
    from ticketr.app.config.yamlfile import parse_yaml

# Few commands need these names, so a module is imported when its first name is looked up.
if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist
    __getattr__ = import_on_use(__name__, type_checking_imports(__name__, __file__))
