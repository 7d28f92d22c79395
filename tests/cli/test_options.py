"""The options are written once and match the inputs classes."""

from typing import get_args

import pytest
from attrs import fields

from seedance_async.cli.explain import CommandError
from seedance_async.cli.options import CatalogueName, InputOptions, RowDefaults, parse_extra
from seedance_async.core.catalogue import BUILT_IN
from seedance_async.core.inputs import INPUT_FIELDS
from tests.cli.harness import Seedance

FLAGS = {"images": "--image", "videos": "--video", "audios": "--audio"}


def flag_of(field: str) -> str:
    """The option of a field."""
    return FLAGS.get(field, "--" + field.replace("_", "-"))


def test_every_input_field_is_an_option() -> None:
    """What the inputs classes know can be given on the command line."""
    assert {attribute.name for attribute in fields(InputOptions)} == INPUT_FIELDS - {"prompt"}
    assert {attribute.name for attribute in fields(RowDefaults)} == INPUT_FIELDS


@pytest.mark.parametrize("command", ["generate", "batch", "quote"])
def test_commands_show_every_field(command: str, seedance: Seedance) -> None:
    """The option of each field stands in the help of the three commands that take inputs."""
    shown = seedance(command, "--help").out.split()
    missing = {flag_of(field) for field in INPUT_FIELDS} - set(shown)
    assert missing == ({"--prompt"} if command == "generate" else set())  # there it is the first argument


def test_catalogue_names_are_the_built_in_ones() -> None:
    """`--catalogue` offers what there is."""
    assert set(get_args(CatalogueName)) == set(BUILT_IN)


def test_what_is_not_given_is_not_set() -> None:
    """Columns of a row and the classes' own defaults count where no option was given; False is given."""
    assert InputOptions().fields() == {}
    assert InputOptions(generate_audio=False, seed=0).fields() == {"generate_audio": False, "seed": 0}


def test_extra_is_json() -> None:
    """`--extra` takes any JSON value."""
    assert parse_extra(("person=true", 'style="film=noir"', "n=[1, 2]")) == {
        "person": True,
        "style": "film=noir",
        "n": [1, 2],
    }


@pytest.mark.parametrize(
    ("pair", "says"), [("person", "NAME=JSON"), ("=1", "NAME=JSON"), ("style=noir", "'style=\"noir\"'")]
)
def test_extra_that_is_not_json(pair: str, says: str) -> None:
    """The message shows how to write it."""
    with pytest.raises(CommandError, match="--extra") as caught:
        parse_extra((pair,))
    assert says in caught.value.text


NOT_WHOLE = ["5.5", "5.0", "5s", "0x5", "1e1", "True", "", "5_0"]


@pytest.mark.parametrize("text", NOT_WHOLE)
@pytest.mark.parametrize(
    "words",
    [
        ["generate", "a lake", "--duration"],
        ["generate", "a lake", "--seed"],
        ["quote", "examples/prompts.jsonl", "--duration"],
        ["batch", "examples/prompts.jsonl", "--attempts"],
        ["emulator", "--port"],
        ["emulator", "--limit"],
        ["emulator", "--seed"],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_a_number_that_is_not_whole_is_refused(seedance: Seedance, words: list[str], text: str) -> None:
    """It is never rounded: a second more is paid for."""
    ended = seedance(*words, text)
    assert (ended.code, ended.out) == (2, "")
    assert "must be a whole number" in ended.err


def test_whole_numbers_may_be_negative(seedance: Seedance) -> None:
    """A seed of -1 is one that the service chooses."""
    words = ("quote", "examples/prompts.jsonl", "--catalogue", "latest", "--seed", "-1")
    assert seedance(*words).code == 0
    assert seedance(*words[:-1], "7").code == 0
