"""The service's calls reach the session through the application's own server."""

from argparse import Namespace

import attrs
import pytest

from examples.web.command import settings_for
from examples.web.settings import WebSettings
from seedance_async import ConfigurationError
from seedance_async.testing import Emulator
from tests.examples.processes import free_port
from tests.examples.serving import served, visiting

_SECRET = "a secret of these tests"


async def test_the_service_calls_and_tasks_are_hardly_looked_at(
    kind: str, settings: WebSettings, service: Emulator
) -> None:
    """A call for each video, and fewer looks than it would take without."""
    polls = {}
    for calls in (False, True):
        port = free_port()
        told = attrs.evolve(settings, journal=f"{settings.journal}-{calls}")
        if calls:
            told = attrs.evolve(told, public_url=f"http://127.0.0.1:{port}", webhook_secret=_SECRET)
        before = service.statistics().polls
        async with served(kind, told, port=port) as url, visiting(url) as visitor:
            for number in range(4):
                await visitor.order(f"lake {number}", str(number))
            for number in range(4):
                assert (await visitor.finished(str(number)))["status"] == "success"
        polls[calls] = service.statistics().polls - before
    assert service.statistics().webhooks >= 4
    assert polls[True] < polls[False]


async def test_what_is_no_call_of_the_service_is_refused(kind: str, settings: WebSettings) -> None:
    """Nothing a stranger sends there does harm, or reaches another route."""
    async with (
        served(kind, settings) as url,
        visiting(url) as visitor,
        visitor.http.post("/webhooks/seedance/token", data=b"nonsense") as answer,
    ):
        assert answer.status == 400


def test_url_and_secret_go_together() -> None:
    """One without the other is said when the application starts."""
    told = WebSettings.from_environment({"VIDEOS_PUBLIC_URL": "https://example.com"})
    with pytest.raises(ConfigurationError, match="VIDEOS_WEBHOOK_SECRET"):
        attrs.evolve(told, api_key="test-key", base_url="http://127.0.0.1:9/api/v1").session()


@pytest.mark.parametrize(("name", "value"), [
    ("VIDEOS_CONCURRENCY", "many"), ("VIDEOS_CONCURRENCY", "0"), ("VIDEOS_CONCURRENCY", "NaN"),
    ("VIDEOS_BUDGET", "a lot"), ("VIDEOS_BUDGET", "NaN"), ("VIDEOS_BUDGET", "-1"),
    ("VIDEOS_MAX_WAITING", "2.5"), ("VIDEOS_POLL_EVERY", "0"),
])  # fmt: skip
def test_a_variable_that_is_no_number_is_named(name: str, value: str) -> None:
    """With what it says: none of them silently means something else, such as 0 tasks at a time all there are."""
    with pytest.raises(ConfigurationError, match=name):
        WebSettings.from_environment({name: value})


def test_a_command_without_a_key_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence and an exit status, before a server starts, and not at the end of its traceback."""
    monkeypatch.delenv("KINOVI_API_KEY", raising=False)
    with pytest.raises(SystemExit, match="KINOVI_API_KEY"), settings_for(Namespace(demo=False)):
        pytest.fail("there is nothing to serve with")


def test_all_wrong_variables_are_named_at_once() -> None:
    """Who mends one has not to start again to learn of the next."""
    with pytest.raises(ConfigurationError, match=r"VIDEOS_CONCURRENCY .*'0'; VIDEOS_BUDGET .*'much'"):
        WebSettings.from_environment({"VIDEOS_CONCURRENCY": "0", "VIDEOS_BUDGET": "much"})
    assert WebSettings.from_environment({"VIDEOS_CONCURRENCY": "", "VIDEOS_JOURNAL": ""}) == WebSettings()
