"""What a request to the emulated service says, whatever it is made of."""

import contextlib
import json
from typing import Any, Final, cast

from aiohttp import web

_SCHEME: Final = "Bearer "


def json_value(content: bytes) -> object:
    """Return the JSON value of a body, or None for what is not JSON."""
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(content)
    return None


def prompt_of(body: object) -> str:
    """Return the prompt of a create request; empty where it has none."""
    envelope = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    inputs = envelope.get("inputs")
    return str(cast("dict[str, Any]", inputs).get("prompt", "")) if isinstance(inputs, dict) else ""


def api_key(request: web.Request) -> str | None:
    """Return the key of a request; None without the header, empty where the header has another scheme."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    return header.removeprefix(_SCHEME).strip() if header.startswith(_SCHEME) else ""
