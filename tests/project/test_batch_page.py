"""What docs/batch.md lists is what there is."""

import re
from pathlib import Path
from typing import Final, get_args

import pytest

from seedance_async.batch import ExitCode, RowStatus
from seedance_async.core.row_files import NamePattern
from seedance_async.errors import InputError

PAGE: Final = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")


def first_column(header: str) -> list[str]:
    """The cells under a header, without their backticks."""
    table = PAGE[PAGE.index(f"| {header} |") :].partition("\n\n")[0]
    return [row.split("|")[1].strip().strip("`") for row in table.splitlines()[2:]]


def test_every_status_of_a_row_is_explained() -> None:
    """And none that there is not."""
    assert sorted(first_column("status")) == sorted(get_args(RowStatus))


def test_every_exit_code_is_explained() -> None:
    """And none that there is not."""
    assert sorted(int(code) for code in re.findall(r"\d+", " ".join(first_column("code")))) == sorted(ExitCode)


def test_the_fields_of_file_names_exist() -> None:
    """A pattern takes each of them, and not the one that the page says is none."""
    fields = first_column("field")
    assert len(fields) == 5
    NamePattern.parse("-".join(fields))
    with pytest.raises(InputError):
        NamePattern.parse("{task_id}")
