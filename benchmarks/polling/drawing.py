"""Write the curves down: `curves.json` and `curves.svg`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import asdict

from benchmarks.polling.curves import Curves
from benchmarks.polling.plot import picture

FOLDER: Final = Path(__file__).parent


def draw(found: Mapping[str, Curves], settings: Mapping[str, int], folder: Path = FOLDER) -> None:
    """Write both files into a folder.

    Args:
        found: By the name of the law.
        settings: What they were made with.
        folder: Where; beside this file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {**settings, "laws": {name: asdict(curves) for name, curves in found.items()}}
    (folder / "curves.json").write_text(json.dumps(_rounded(content), indent=1) + "\n", encoding="utf-8")
    (folder / "curves.svg").write_text(picture(found), encoding="utf-8")


def _rounded(value: object) -> object:
    """The same with four digits, which is more than chance lets be known."""
    if isinstance(value, dict):
        return {str(key): _rounded(each) for key, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
