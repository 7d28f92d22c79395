"""Chromium, headless, as the system's packages install it. Where there is none the tests are skipped, but not in CI."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from seedance_async.testing import EmulatorThread
from tests.browser.page import Page
from tests.examples.processes import ROOT, Application

#: Where the screenshots go, for looking at.
SHOTS: Final = ROOT / "build" / "browser"
_FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put every test of this folder behind the marker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Where the browser and its driver are."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        reason = "no chromium and chromedriver on this machine (apt-get install chromium chromium-driver)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return browser, driver


@pytest.fixture
def driver(chromium: tuple[str, str], tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A browser that has never been anywhere."""
    options = Options()
    options.binary_location = chromium[0]
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1000,1100"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(chromium[1]))
    browser.set_page_load_timeout(60)
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def emulator() -> Iterator[EmulatorThread]:
    """A service with one slot and tasks of four seconds, whose clips are the packaged one."""
    with EmulatorThread(limit=1, durations=4.0) as running:
        yield running


@pytest.fixture
def kind() -> str:
    """Which application; both send the same page, so most tests look at one of them."""
    return "fastapi_app"


@pytest.fixture
def application(kind: str, emulator: EmulatorThread, tmp_path: Path) -> Iterator[Application]:
    """The application in a process of its own."""
    with Application(kind, emulator, tmp_path, VIDEOS_CONCURRENCY="1") as running:
        yield running


@pytest.fixture
def page(driver: webdriver.Chrome, application: Application) -> Page:
    """The page, open."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    opened = Page(driver, application.url, SHOTS)
    opened.open()
    return opened
