"""Values that were written as text: cells of a table, flags of a command."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from seedance_async.core.build import unknown_field
from seedance_async.core.frozen import is_list, is_mapping
from seedance_async.core.inputs import INPUT_FIELDS
from seedance_async.core.names import number_in, shown
from seedance_async.errors import InputError, Problem

_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,12}(\.0+)?")
_TRUE: Final = frozenset({"true", "yes", "y", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "off", "0"})
_WHOLE: Final = frozenset({"duration", "seed"})
_LISTS: Final = frozenset({"images", "videos", "audios"})


def coerce_text(name: str, text: str) -> object:
    """Return the value of the input field `name` that `text` stands for.

    Whole numbers may be written `5` or `5.0` (spreadsheets do). Truth is `true`, `yes`, `on`, `1` or the opposite,
    in any case. Lists are separated by spaces or line breaks, or written as JSON where
    a path has spaces of its own. `extra` is a JSON object. Everything else is the text
    itself, without surrounding white space except for the prompt.

    Raises:
        InputError: The field is unknown, or the text stands for no value of it.
    """
    if name not in INPUT_FIELDS:
        raise InputError([unknown_field(name)])
    if name == "prompt":
        return text
    stripped = text.strip()
    if name in _WHOLE:
        return _whole(name, stripped)
    if name == "generate_audio":
        return _truth(name, stripped)
    if name in _LISTS:
        return _words(name, stripped)
    if name == "extra":
        return _object(name, stripped)
    return stripped


def _whole(name: str, text: str) -> int:
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text.partition(".")[0])
    unit = " of seconds" if name == "duration" else ""
    raise InputError([Problem(name, f"must be a whole number{unit}", shown(text), number_in(text))])


def _truth(name: str, text: str) -> bool:
    word = text.casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InputError([Problem(name, "must be true or false", shown(text))])


def _words(name: str, text: str) -> tuple[str, ...]:
    if not text.startswith("["):
        return tuple(text.split())
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if is_list(value) and all(isinstance(item, str) for item in value):
        return tuple(value)
    message = 'must be URLs or paths, or a JSON list of them, such as ["my cat.png"]'
    raise InputError([Problem(name, message, shown(text))])


def _object(name: str, text: str) -> Mapping[str, Any]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if is_mapping(value):
        return value
    raise InputError([Problem(name, 'must be a JSON object, such as {"field": "value"}', shown(text))])
