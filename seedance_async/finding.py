"""Where a session finds what it is not told: the argument, then the environment, then the default."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from seedance_async import _guard
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.redact import redact_url
from seedance_async.core.validators import what_was_given
from seedance_async.errors import ConfigurationError
from seedance_async.settings import ApiKey, KeySource, checked_key

#: The vendor's own name for the key, then the one of its older documentation. Unrelated resellers use the second
#: too, which is why it comes second and why a 401 names the source (contract, section 1).
KEY_VARIABLES: Final = ("KINOVI_API_KEY", "SEEDANCE_API_KEY")
BASE_URL_VARIABLE: Final = "SEEDANCE_BASE_URL"
CATALOGUE_VARIABLE: Final = "SEEDANCE_CATALOGUE"
DEFAULT_BASE_URL: Final = "https://kinovi.ai/api/v1"


def find_key(given: KeySource | None, environ: Mapping[str, str] | None = None) -> ApiKey:
    """Find the API key: the argument, then the environment.

    Raises:
        ConfigurationError: There is none, or it cannot be a key.
    """
    if given is not None:
        source = "the argument api_key"
        return ApiKey(given if callable(given) else checked_key(given, source), source)
    for name in KEY_VARIABLES:
        found = _variable(name, environ)
        if found.strip():
            source = f"the environment variable {name}"
            return ApiKey(checked_key(found, source), source)
    raise ConfigurationError(
        f"no API key: set the environment variable {KEY_VARIABLES[0]}, or pass api_key= to AsyncSeedance "
        "(`seedance demo` needs none)"
    )


def find_base_url(given: object, environ: Mapping[str, str] | None = None) -> str:
    """Find the base URL: the argument, the environment, the service's.

    Raises:
        ConfigurationError: It is no http(s) URL, is plain http to another machine, or the test guard forbids it.
    """
    source = "the argument base_url" if given is not None else BASE_URL_VARIABLE
    url = given if given is not None else _variable(BASE_URL_VARIABLE, environ) or DEFAULT_BASE_URL
    if not isinstance(url, str):
        raise ConfigurationError(f"{source} must be a text such as {DEFAULT_BASE_URL!r}, and is {what_was_given(url)}")
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    shown = redact_url(url)
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(
            f"{source} is {shown!r}, which is no URL; it must look like {DEFAULT_BASE_URL!r}, scheme included"
        )
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ConfigurationError(f"{source} must have no user name, query or fragment: {shown!r}")
    if parts.scheme == "http" and not _guard.is_loopback(url):
        raise ConfigurationError(
            f"{source} is {shown!r}: without https the API key would travel unencrypted. Only loopback addresses "
            "may use http"
        )
    _guard.check(url)
    return url


def find_catalogue(given: object, environ: Mapping[str, str] | None = None) -> Catalogue:
    """Find the catalogue: the argument, the environment, `Catalogue.CLASSIC`.

    Raises:
        ConfigurationError: There is none of that name, or it is no catalogue.
    """
    if isinstance(given, Catalogue):
        return given
    if given is not None and not isinstance(given, str):
        raise ConfigurationError(
            f"catalogue must be a Catalogue, such as Catalogue.LATEST, or its name, and is {what_was_given(given)}"
        )
    return Catalogue.named(given if given is not None else _variable(CATALOGUE_VARIABLE, environ) or "classic")


def _variable(name: str, environ: Mapping[str, str] | None) -> str:
    # The environment is no local of a function that raises: error trackers keep those, and the key may be in it.
    return (os.environ if environ is None else environ).get(name, "")
