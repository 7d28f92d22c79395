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


def parse_credits(option: str, text: str | None) -> Decimal | None:
    """Read an amount of credits.

    Raises:
        CommandError: It is not a positive number.
    """
    if text is None:
        return None
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value <= 0:
        raise CommandError(f"{option} wants a number of credits above 0, not {text!r}")
    return value


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
