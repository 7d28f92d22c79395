"""Which links a file may be fetched from.

1. `https` to any host.
2. `http` only to this machine: a server in tests or a local proxy. Nobody in between can read or change it.
3. A redirect is followed where its target obeys 1 and 2, and never from `https` to `http`.
"""

import ipaddress
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen

from seedance_async.core.redact import redact_url


@frozen
class Link:
    """A link that may be signed, and so is not shown: neither in a log nor among the variables of a traceback.

    Attributes:
        url: All of it, absolute.
    """

    url: str = field(repr=lambda url: repr(redact_url(url)))


@frozen
class NoHop:
    """The redirect must not be followed.

    Attributes:
        reason: Why, without what may be signed.
    """

    reason: str


def link_problem(url: str) -> str | None:
    """Say why nothing may be fetched from `url`, without what may be signed; None where it may."""
    # Parsers disagree about these characters, and so about the host: what is checked must be what is fetched.
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        return "the link contains blanks or control characters"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "the link is not a URL"
    if parts.scheme not in {"http", "https"} or not host or "\\" in parts.netloc:
        return f"the link is not an https URL: {redact_url(url)}"
    if parts.scheme == "http" and not is_loopback(host):
        return f"the link is not encrypted, and plain http is used on this machine only: {redact_url(url)}"
    return None


def follow(link: Link, location: str | None) -> Link | NoHop:
    """Decide about a redirect.

    Args:
        link: What answered with it.
        location: Its `Location` header, absolute or relative.

    Returns:
        Where to go on, if that is allowed.
    """
    url = link.url
    if not location:
        return NoHop(f"{redact_url(url)} redirects to nowhere")
    try:
        target = urljoin(url, location)
    except ValueError:
        return NoHop(f"{redact_url(url)} redirects to something that is not a URL")
    problem = link_problem(target)
    if problem is not None:
        return NoHop(f"{redact_url(url)} redirects, but {problem}")
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http":
        return NoHop(f"{redact_url(url)} redirects from https to http: {redact_url(target)}")
    return Link(target)


def is_loopback(host: str) -> bool:
    """Whether a host, without brackets and port, is this machine: 127.0.0.0/8, ::1 or `localhost`.

    No name is looked up. `x.localhost` is not taken: some resolvers ask the network for it, so that it may be any
    machine.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
