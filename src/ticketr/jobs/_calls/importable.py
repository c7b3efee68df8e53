"""Names by which another process imports a function or class: ``module:qualname``.

The program's own file is the module ``__main__``, which is another one in every program. A function
in it is named by the module that the file can be imported as, such as ``app`` for ``app.py``. In the
program itself this name means ``__main__``, so that the file is not run twice.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import MethodType, ModuleType
from typing import Any, final

from ticketr._errors import NotSendable
from ticketr.jobs._values import safe_repr, safe_str

MAIN = "__main__"


class LoadFailed(Exception):
    """Raised when something that was stored or sent cannot be loaded; its text says why."""


@final
class AllowedNames:
    """The functions and classes that a store may load.

    Args:
        functions: These functions and classes, and modules for all that is in them.

    Raises:
        NotSendable: One of them cannot be imported.
        TypeError: It is none of these.
    """

    def __init__(self, functions: Iterable[object]) -> None:
        self._modules: set[str] = set()
        self._names: set[str] = set()
        for thing in functions:
            if isinstance(thing, ModuleType):
                self._modules.add(thing.__name__)
            elif callable(thing):
                self._names.add(importable_name(thing, "one of the functions of the store"))
            else:
                raise TypeError(f"functions takes functions and modules, not {safe_repr(thing)}")

    def __contains__(self, name: str) -> bool:
        return name in self._names or name.partition(":")[0] in self._modules


def load_allowed(name: str, allowed: AllowedNames | None) -> Any:
    """Return what a name stands for, as :func:`import_by_name` does, if a store may load it.

    Raises:
        LoadFailed: It may not, or cannot be imported.
    """
    if allowed is not None and name not in allowed:
        raise LoadFailed(f"{name} is not among the functions that SqliteStore allows")
    return import_by_name(name)


def importable_name(thing: object, what: str) -> str:
    """Return the name by which another process imports a function or class.

    Args:
        thing: The function or class.
        what: What it is to the user, for the error.

    Raises:
        NotSendable: It has no such name.
    """
    name, problem = _name_of(thing)
    if not problem:
        try:
            same: object = import_by_name(name)
        except LoadFailed as error:
            raise NotSendable(what, safe_repr(thing), f"cannot be imported: {error}") from error
        if same is thing or (type(thing) is MethodType and same == thing):  # a class method
            return name
        problem = (
            f"is not what {name} stands for. Give it that name in its module, or submit what has"
            " the name"
        )
    raise NotSendable(what, safe_repr(thing), problem)


def _name_of(thing: object) -> tuple[str, str]:
    """Return the name of a function or class, and why it cannot be imported by that."""
    use = "Submit a function of a module, or a dataclass with an execute method"
    if type(thing) is MethodType and not isinstance(thing.__self__, type):
        return "", f"is a method of one object. {use}"
    try:
        module: object = getattr(thing, "__module__", None)
        qualname: object = getattr(thing, "__qualname__", None)
    except Exception:  # noqa: BLE001 - the object's own code
        module = qualname = None
    if type(qualname) is not str or type(module) is not str:
        return "", f"has no name to import it by. {use}"
    write = "Write a function at the top level of a module"
    if "<lambda>" in qualname:
        return "", f"is a lambda, which cannot be imported. {write}"
    if "<" in qualname:
        return "", f"is defined inside a function, so it cannot be imported. {write}"
    if module == MAIN and not (module := _main_name()):
        return "", (
            "is defined in the program's own file, which cannot be imported. Write it in a module,"
            " and import that"
        )
    return f"{module}:{qualname}", ""


def import_by_name(name: str) -> Any:
    """Return what a name of :func:`importable_name` stands for.

    Raises:
        LoadFailed: There is no such module, or nothing of that name in it.
    """
    module_name, _, path = name.partition(":")
    try:
        thing: Any = _module(module_name)
        for part in path.split("."):
            thing = getattr(thing, part)
    except (Exception, SystemExit) as error:  # the module's own code may raise anything
        words = safe_str(error) or type(error).__name__
        raise LoadFailed(f"{name} cannot be imported: {words}") from error
    return thing


def _module(name: str) -> ModuleType:
    if name and name == _main_name():
        return sys.modules[MAIN]
    return importlib.import_module(name)


def _main_name() -> str:
    """Return the name by which the program's own file can be imported; empty if there is none."""
    main = sys.modules.get(MAIN)
    spec = getattr(main, "__spec__", None)
    file = getattr(main, "__file__", None)
    return _importable_file(getattr(spec, "name", None), file, tuple(sys.path))


@functools.lru_cache(maxsize=1)
def _importable_file(module: str | None, file: str | None, _: tuple[str, ...]) -> str:
    """Return the module name of the program's file.

    Args:
        module: The name of the module that was run with ``python -m``.
        file: The file.
        _: Where modules are looked for.
    """
    if module is not None and module != MAIN:
        return module
    if file is None:
        return ""
    path = Path(file)
    try:
        spec = importlib.util.find_spec(path.stem)
        is_file = spec is not None and spec.origin is not None and path.samefile(spec.origin)
    except (ImportError, ValueError, OSError):
        return ""
    return path.stem if is_file else ""
