"""What the user set: the site, the login, the project, the folder."""

from __future__ import annotations

from ticketr.config.errors import BadSetting, ConfigError, MissingSetting
from ticketr.config.settings import Settings, load_settings
from ticketr.config.workspace import STATE_FOLDER, find_workspace

__all__ = [
    "STATE_FOLDER",
    "BadSetting",
    "ConfigError",
    "MissingSetting",
    "Settings",
    "find_workspace",
    "load_settings",
]
