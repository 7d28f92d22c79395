"""Look at an installed wheel from inside a clean environment; run by `.ci/run` with that environment's Python.

Uses the standard library only, because nothing else is promised to be there.
"""

import importlib
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

MOST_DISTRIBUTIONS = 13
PROMISED = {"aiohttp", "attr", "attrs", "cattrs", "anyio"}
THEIR_DEPENDENCIES = {
    "aiohappyeyeballs", "aiosignal", "frozenlist", "idna", "multidict", "propcache", "typing_extensions", "yarl",
}  # fmt: skip


def check() -> list[str]:
    """Return what is wrong with the installed package, one sentence each."""
    wrong: list[str] = []

    installed = sorted({found.name for found in distributions()} - {"pip", "setuptools"})
    say(f"{len(installed)} distributions: {', '.join(installed)}")
    if len(installed) > MOST_DISTRIBUTIONS:
        wrong.append(f"{len(installed)} distributions are installed, at most {MOST_DISTRIBUTIONS} are promised")

    before = set(sys.modules)
    package = importlib.import_module("seedance_async")
    pulled = {name.partition(".")[0] for name in set(sys.modules) - before}
    foreign = pulled - set(sys.stdlib_module_names) - PROMISED - THEIR_DEPENDENCIES - {"seedance_async"}
    # Compiled modules register helpers of their own.
    foreign = {name for name in foreign if not name.startswith(("_sysconfigdata", "_cython_", "cython_runtime"))}
    if foreign:
        wrong.append(f"the import pulls {', '.join(sorted(foreign))}")

    where = Path(str(package.__file__)).parent
    say(f"seedance_async {package.__version__} in {where}")
    if not (where / "py.typed").is_file():
        wrong.append("py.typed is not in the wheel")
    if not where.is_relative_to(sysconfig.get_paths()["purelib"]):
        wrong.append(f"{where} is not the installed package")

    # The command exists without its extra and must say what to install, not show a traceback.
    command = Path(sysconfig.get_paths()["scripts"]) / "seedance"
    ended = subprocess.run([command, "--version"], capture_output=True, text=True, check=False, timeout=60)
    spoken = ended.stdout + ended.stderr
    say(f"`seedance --version` without the extra: exit {ended.returncode}, {spoken.strip()!r}")
    if "seedance-async[cli]" not in spoken or "Traceback" in spoken or ended.returncode == 0:
        wrong.append("`seedance` without the extra `cli` does not say what to install")
    return wrong


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    problems = check()
    for problem in problems:
        say(f"WRONG: {problem}")
    sys.exit(1 if problems else 0)
