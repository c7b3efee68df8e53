"""Does work of an import when its result is used: modules of a package, regular expressions."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast


def import_on_use(package: str, module_by_name: Mapping[str, str]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a package.

    Args:
        package: The full name of the package.
        module_by_name: The module of each public name, relative to the package.
    """

    def look_up(name: str) -> object:
        if name not in module_by_name:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{module_by_name[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return look_up


def type_checking_imports(package: str, file: str) -> dict[str, str]:
    """Return the module of each name that a package imports below ``if TYPE_CHECKING:``.

    So the package lists these names once, for type checkers and for `import_on_use`. Its source is
    read by what has imported it, which may be a zip file.

    Args:
        package: The full name of the package.
        file: Its ``__file__``.
    """
    pattern = rf"^    from {re.escape(package)}\.([\w.]+) import (\([^)]*\)|.*)$"
    loader: Any = sys.modules[package].__spec__.loader  # type: ignore[union-attr]  # it is being imported
    statements = re.findall(pattern, loader.get_data(file).decode(), re.MULTILINE)
    return {name: module for module, names in statements for name in re.findall(r"\w+", names)}


def compile_on_use(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return a regular expression that is compiled when it is used for the first time.

    Args:
        pattern: The expression.
        flags: Its flags, as for ``re.compile``.
    """
    return cast("re.Pattern[str]", _LazyPattern(pattern, flags))


class _LazyPattern:
    """Takes its methods from the compiled expression when the first of them is looked up."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self.flags = flags

    def __getattr__(self, name: str) -> object:
        compiled = re.compile(self.pattern, self.flags)
        methods = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
        self.__dict__.update((method, getattr(compiled, method)) for method in methods)
        value: object = getattr(compiled, name)
        return value
