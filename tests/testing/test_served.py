"""The emulator as `seedance emulator` serves it, for clients in other processes."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them"),
    pytest.mark.usefixtures("signals_heard"),
]


@contextmanager
def served(*options: str) -> Iterator[dict[str, str]]:
    """Run the command; what it says of itself, by the word at the start of the line."""
    command = [sys.executable, "-m", "seedance_async", "emulator", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().partition(":") for _ in range(4)]
            yield {word: rest.strip() for word, _, rest in lines}
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def create(said: dict[str, str]) -> str:
    """Make a task."""
    request = urllib.request.Request(
        f"{said['base URL']}/jobs/createTask",
        data=json.dumps({"model": "seedance-20", "inputs": {"prompt": "a lake"}}).encode(),
        headers={"Authorization": f"Bearer {said['API key']}", "Content-Type": "application/json"},
    )
    return str(fetch(request)["taskId"])


def fetch(request: urllib.request.Request | str) -> Any:
    """Return the JSON of an answer."""
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_every_start_gives_new_ids() -> None:
    """A client that remembers an id of the run before does not get another video under it."""
    ids = set[str]()
    for _ in range(2):
        with served("--seed", "7") as said:
            ids.add(create(said))
    assert len(ids) == 2


def test_it_says_where_its_counts_are() -> None:
    """The address in the greeting answers with the statistics."""
    with served() as said:
        create(said)
        assert fetch(said["counts"])["accepted"] == 1
