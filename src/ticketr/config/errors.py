"""What can be wrong with the configuration."""

from __future__ import annotations

from ticketr._errors import TicketrError


class ConfigError(TicketrError):
    """The base of every configuration error; the command line ends with exit code 2."""


class MissingSetting(ConfigError):
    """Raised when a setting that a command needs is nowhere set."""

    def __init__(self, names: tuple[str, ...], hint: str) -> None:
        super().__init__(names, hint)
        self.names = names
        self.hint = hint

    def __str__(self) -> str:
        return f"{' or '.join(self.names)} is not set: {self.hint}"


class BadSetting(ConfigError):
    """Raised when a setting is there but cannot be used."""

    def __init__(self, name: str, value: str, problem: str) -> None:
        super().__init__(name, value, problem)
        self.name = name
        self.value = value
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}: {self.problem}"
