"""The layers of the package, read from its syntax trees.

1. `core` and `errors` are values only: no `await`, clock, randomness, environment, files or logging.
2. Imports point downwards: applications (cli, batch, testing, webhooks) -> shells -> core -> errors.
3. Optional libraries are imported only by the application that has the extra.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "seedance_async"

IMPURE_LIBRARY = {
    "asyncio", "concurrent", "ctypes", "dbm", "fcntl", "getpass", "glob", "http", "io", "locale", "logging",
    "mmap", "multiprocessing", "os", "platform", "pty", "queue", "random", "sched", "secrets", "select", "selectors",
    "shelve", "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "uuid", "warnings",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "breakpoint", "exec", "eval"}
CLOCK_READS = {"now", "utcnow", "today"}

# What each layer may import: of this package, and of others. The longest prefix decides.
OURS = {
    "errors": set[str](),
    "core": {"core", "errors"},
    "": {"core", "errors", ""},
    "webhooks": {"core", "errors", "", "webhooks"},
    "otel": {"core", "errors", "", "otel"},
    "batch": {"core", "errors", "", "batch"},
    "testing": {"core", "errors", "", "testing"},
    "cli": {"core", "errors", "", "batch", "testing", "cli"},
}
THEIRS = {
    "errors": {"attrs"},
    "core": {"attrs", "cattrs"},
    "": {"aiohttp", "anyio", "attrs", "cattrs", "multidict", "yarl"},
    "webhooks": {"aiohttp", "attrs"},
    "otel": {"attrs", "opentelemetry"},
    "batch": {"anyio", "attrs", "cattrs"},
    "testing": {"aiohttp", "anyio", "attrs", "cattrs", "av", "pytest"},
    "cli": {"anyio", "attrs", "cattrs", "cyclopts", "rich"},
}


def modules() -> list[str]:
    """Every module of the package, as a dotted name below it; its own `__init__` is the empty name."""
    found: list[str] = []
    for file in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = file.relative_to(ROOT / PACKAGE).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def source_of(module: str) -> str:
    """The text of one module."""
    base = ROOT / PACKAGE / Path(*module.split("."))
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return file.read_text(encoding="utf-8")


def layer_of(module: str) -> str:
    """The layer a module is in: its first name where that is a layer, else the shells."""
    if module == "__main__":
        return "cli"
    first = module.partition(".")[0]
    return first if first in OURS else ""


def imported(tree: ast.AST) -> Iterator[str]:
    """Each absolute name that is imported anywhere in the tree, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            assert node.module is not None
            if node.module == PACKAGE:
                yield from (f"{PACKAGE}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def wrong_imports(module: str, source: str) -> list[str]:
    """The imports that the module's layer must not have."""
    layer = layer_of(module)
    wrong: list[str] = []
    for name in imported(ast.parse(source)):
        first, _, rest = name.partition(".")
        if first == PACKAGE:
            allowed = layer_of(rest) in OURS[layer]
        elif first in sys.stdlib_module_names:
            allowed = layer not in {"core", "errors"} or first not in IMPURE_LIBRARY
        else:
            allowed = first in THEIRS[layer]
        if not allowed:
            wrong.append(name)
    return wrong


def impurities(source: str) -> list[str]:
    """What a pure module must not contain, each with its line."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        what = None
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            what = type(node).__name__
        elif isinstance(node, ast.Global):
            what = "global"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            what = node.func.id
        elif isinstance(node, ast.Attribute) and node.attr in CLOCK_READS and _names_a_clock(node.value):
            what = f"a clock read ({node.attr})"
        if what is not None:
            found.append(f"line {getattr(node, 'lineno', '?')}: {what}")
    return found


def _names_a_clock(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in {"datetime", "date", "time"}


@pytest.mark.parametrize("module", modules())
def test_imports_point_downwards(module: str) -> None:
    """A module imports its own layer and those below it, and no library that its layer may not need."""
    assert wrong_imports(module, source_of(module)) == []


@pytest.mark.parametrize("module", [name for name in modules() if layer_of(name) in {"core", "errors"}])
def test_the_core_is_pure(module: str) -> None:
    """Nothing under `core` waits, reads a clock, or touches the world."""
    assert impurities(source_of(module)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.x", "import time"),
        ("core.x", "from os import path"),
        ("core.x", "def f():\n    import random"),
        ("core.x", "import aiohttp"),
        ("core.x", "from seedance_async.session import AsyncSeedance"),
        ("core.x", "from seedance_async import session"),
        ("errors", "from seedance_async.core import results"),
        ("session", "import rich"),
        ("session", "from opentelemetry import trace"),
        ("session", "from seedance_async.otel import OpenTelemetryHook"),
        ("session", "from seedance_async.batch.runner import BatchRunner"),
        ("session", "from seedance_async.testing import Emulator"),
        ("session", "from seedance_async.webhooks import asgi_app"),
        ("batch.x", "from seedance_async.cli import main"),
        ("testing.x", "import cyclopts"),
    ],
)
def test_a_wrong_import_is_seen(module: str, source: str) -> None:
    """The reading above finds what it is there to find."""
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "async def f(): ...",
        "open('x')",
        "datetime.now()",
        "datetime.datetime.now(tz)",
        "clock = datetime.utcnow",
        "def f():\n    global x",
        "print(1)",
    ],
)
def test_an_impurity_is_seen(source: str) -> None:
    """The reading above finds what it is there to find."""
    assert len(impurities(source)) == 1
