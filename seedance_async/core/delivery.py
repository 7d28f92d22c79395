"""What the service POSTs to a callback URL, read from its bytes.

Nothing here is believed: the service signs nothing, so anybody who knows the address can send this. It only has to be
cheap and harmless to read, and to say which task it is about.

Rules (contract, section 9):

1. The envelope is `{"code", "message", "data"}`; only `data` says anything of the task.
2. The status is `data.status` or, in the older form, `data.state`.
3. Unknown fields are kept in `raw` and never looked at, those of the envelope included.
4. What is read must be beyond doubt: one spelling of the bytes (UTF-8, uncompressed), each name once, numbers that
   JSON and Python both have, and no deep nesting.
"""

import json
import re
from collections.abc import Mapping
from math import isinf
from typing import Any, Final, cast

from attrs import field, frozen

from seedance_async.core.decode import decode_task_id
from seedance_async.core.frozen import freeze
from seedance_async.core.results import FAIL, SUCCESS
from seedance_async.errors import DeliveryError

#: Most bytes of a delivery. The published examples have less than a thousand.
MAX_BODY: Final = 65_536

_DEEPEST: Final = 24
_LONGEST_NUMBER: Final = 64
_LONGEST_STATUS: Final = 64

#: What a sender of JSON calls it, or one who calls it nothing. A form or a page of HTML is somebody else's.
_CONTENT_TYPE: Final = re.compile(
    r"(application/(json|[a-z0-9.+-]{1,64}\+json|octet-stream)|text/(json|plain))[ \t]*(;.*)?", re.IGNORECASE
)
#: A string as a whole, or a bracket outside of strings. A string without an end reaches to the end: if that did not
#: match, it would be tried again from each of its own quotes.
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|([\[{])|[\]}]', re.DOTALL)


@frozen
class Delivery:
    """A call of the service, as far as it can be read. A hint, and no proof of anything.

    Attributes:
        task_id: The task it speaks of.
        status: What it says of it, usually `"success"` or `"fail"`.
        raw: The whole body, read-only. Not shown in the repr: links in it may be signed.
    """

    task_id: str
    status: str
    raw: Mapping[str, Any] = field(repr=False, eq=False)

    @property
    def ended(self) -> bool:
        """Whether it says that the task has ended."""
        return self.status in {SUCCESS, FAIL}


def parse_delivery(raw: bytes, headers: Mapping[str, str]) -> Delivery:
    """Read the body of a call to a callback URL.

    Args:
        raw: The bytes of the body as they came. Not the decoded JSON: whoever decoded it has already taken a decision
            about doubled names, numbers and encodings.
        headers: Those of the request, names in any case. `Content-Type` and `Content-Encoding` are looked at where
            they are there.

    Raises:
        DeliveryError: It is no delivery. The message repeats nothing of what was sent.
    """
    given = cast("object", raw)
    if not isinstance(given, bytes):
        raise DeliveryError(
            "must be the bytes of the request's body, as they came, such as `await request.body()` or "
            f"`await request.read()`, and is a {type(given).__name__}"
        )
    check_headers(headers)
    if len(raw) > MAX_BODY:
        raise DeliveryError(f"has more than {MAX_BODY} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise DeliveryError("is no UTF-8 text") from None
    if _depth(text) > _DEEPEST:
        raise DeliveryError("is nested too deeply")
    return _delivery(_read(text))


def check_headers(headers: Mapping[str, str]) -> None:
    """Say whether a body with these headers may be read at all.

    Raises:
        DeliveryError: It is compressed, or of a type that is never JSON.
    """
    encoding = _header(headers, "content-encoding")
    if encoding is not None and encoding.strip().lower() not in {"", "identity"}:
        raise DeliveryError("is compressed, which a delivery never is")
    content_type = _header(headers, "content-type")
    if content_type is not None and content_type.strip() and not _CONTENT_TYPE.fullmatch(content_type.strip()):
        raise DeliveryError("has a content type that is not JSON")


def _header(headers: Mapping[str, str], wanted: str) -> str | None:
    for name, value in headers.items():
        if str(name).lower() == wanted:
            return str(value)
    return None


def _depth(text: str) -> int:
    """Return how deep brackets lie in each other, without recursion; 0 where there are too few to matter."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return 0
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        if found[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest


def _read(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except DeliveryError:
        raise
    except (ValueError, RecursionError):
        raise DeliveryError("is no JSON") from None


def _delivery(body: object) -> Delivery:
    if not isinstance(body, dict):
        raise DeliveryError("is no JSON object")
    fields = cast("dict[str, Any]", body)
    data = fields.get("data")
    if not isinstance(data, dict):
        raise DeliveryError("has no object under `data`")
    record = cast("dict[str, Any]", data)
    task_id = decode_task_id(record)
    if task_id is None or not _is_text(task_id):
        raise DeliveryError("has no task id under `data.taskId`")
    status: object = record.get("status")
    if status is None:
        status = record.get("state")
    if not isinstance(status, str) or not _is_word(status):
        raise DeliveryError("has no status, neither under `data.status` nor under `data.state`")
    return Delivery(task_id, status, freeze(fields))


def _is_word(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_STATUS and text.isprintable()


def _is_text(text: str) -> bool:
    """Tell whether a string can be sent: JSON can spell half a surrogate pair, which no URL can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DeliveryError("names a field twice")
    return found


def _number(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise DeliveryError("holds a number that is too long")
    return int(text)


def _fraction(text: str) -> float:
    if len(text) > _LONGEST_NUMBER:
        raise DeliveryError("holds a number that is too long")
    value = float(text)
    if isinf(value):
        raise DeliveryError("holds a number that is too large")
    return value


def _constant(_text: str) -> float:
    raise DeliveryError("holds NaN or Infinity, which JSON does not have")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_number, parse_float=_fraction, parse_constant=_constant
)
