"""From options to a session: the checks that come before any request, in words for the command line."""

import os
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from seedance_async import AsyncSeedance
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.cli.explain import KEY_VARIABLES, CommandError
from seedance_async.cli.options import ServiceOptions
from seedance_async.core.polling import FixedPolling


def make_session(service: ServiceOptions, **more: Any) -> AsyncSeedance:
    """Make the session of a command, not yet open.

    Raises:
        CommandError: There is no key.
        ConfigurationError: The key or the base URL cannot be one.
    """
    require_key()
    if service.poll_every is not None:
        more["polling"] = FixedPolling(service.poll_every)
    return AsyncSeedance(base_url=service.base_url, catalogue=service.chosen_catalogue(), **more)


def require_key() -> None:
    """Say how to get going where there is no key.

    Raises:
        CommandError: No variable holds one.
    """
    if not any(os.environ.get(name, "").strip() for name in KEY_VARIABLES):
        raise CommandError(
            "no API key: set KINOVI_API_KEY to yours, or try everything without one: seedance demo", ExitCode.ACCOUNT
        )


def parse_budget(text: str | None) -> Decimal | None:
    """Read `--budget`; None where none was given.

    Raises:
        CommandError: It is not a number above 0.
    """
    if text is None:
        return None
    value = _number(text)
    if value is None or value <= 0:
        raise CommandError(f"--budget wants a number of credits above 0, not {text!r}")
    return value


def parse_credits(text: str) -> Decimal:
    """Read `--credits`, which may be 0.

    Raises:
        CommandError: It is not a number from 0 up.
    """
    value = _number(text)
    if value is None or value < 0:
        raise CommandError(f"--credits wants a number of credits, not {text!r}")
    return value


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def parse_concurrency(text: str | None) -> int | Literal["auto"]:
    """Read `--concurrency`: a whole number above 0, or `"auto"`.

    Raises:
        CommandError: It is neither.
    """
    if text is None or text == "auto":
        return "auto"
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise CommandError(f"--concurrency wants a whole number above 0, or auto, not {text!r}")
    return int(text)
