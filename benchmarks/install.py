"""Scenario `install`: how many distributions, and megabytes, the core brings into an empty environment."""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.options import Options
from benchmarks.report import Ratio, Report, Spread

AIM = 13
REPOSITORY = Path(__file__).parents[1]
PROGRAM = """
import importlib.metadata as metadata, json
found = [each for each in metadata.distributions() if each.name not in ("pip", "setuptools")]
size = sum(file.locate().stat().st_size for each in found for file in each.files or () if file.locate().is_file())
print(json.dumps([len(found), size / 1e6, sorted(each.name for each in found)]))
"""


def run(options: Options) -> Report:
    """Install the package without extras into a new environment, once, and count."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", REPOSITORY],
            check=True,
            stdout=sys.stderr,
        )
        ended = subprocess.run([python, "-I", "-c", PROGRAM], capture_output=True, text=True, check=True)
    count, megabytes, names = json.loads(ended.stdout)
    return Report(
        "install",
        "What does `pip install seedance-async` bring?",
        {"seedance-async": {"distributions": Spread.of([count]), "MB": Spread.of([megabytes])}},
        [Ratio("distributions", Spread.of([count]), AIM)],
        {"seed": options.seed},
        [f"{', '.join(names)}"],
    )
