"""The page in a real browser."""

import pytest
from selenium.webdriver.common.by import By

from seedance_async.testing import EmulatorThread
from tests.browser.page import Page
from tests.examples.processes import Application


@pytest.mark.parametrize("kind", ["fastapi_app", "aiohttp_app"])
def test_a_video_from_the_form_to_the_player(page: Page) -> None:
    """Queue, service, finished and playing, each shown when it is so, without a reload."""
    page.shot("0-empty")
    page.order("a harbour at dusk [takes:8]")
    page.until_headline("Being made")
    first = page.fragment()
    page.order("a lake at dawn, mist over the water, slow push in [takes:9]")
    assert page.until_headline("In the queue, number 1")
    assert page.shows("cancel")
    page.shot("1-queued")
    page.until_headline("Being made")
    assert not page.shows("cancel")
    page.until(lambda: "left" in page.text("time") or "moment" in page.text("time"))
    page.shot("2-generating")
    page.until_headline("Ready")
    page.until(page.plays)
    page.run("return document.getElementById('player').play()")
    page.until(lambda: page.run("return document.getElementById('player').currentTime") > 0.2)
    page.shot("3-playing")
    # Nobody listens any more: the stream has ended, and was not opened again.
    assert page.run("return document.getElementById('going').hidden")
    # The other one is in the list, and one click away.
    page.driver.find_element(By.CSS_SELECTOR, f"#list a[href='#{first}']").click()
    page.until_headline("Ready")
    assert page.text("words").startswith("a harbour")
    assert page.complaints() == []


def test_a_refused_prompt_is_explained(page: Page) -> None:
    """The service's reason, that nothing is charged, and a way on."""
    page.order("something that the service refuses [fail:moderation]")
    page.until_headline("There is no video")
    assert "violates platform rules" in page.text("reason")
    assert page.text("charged") == "Nothing was charged."
    page.shot("4-failed")
    page.driver.find_element(By.ID, "again").click()
    assert page.run("return document.getElementById('prompt').value").startswith("something")


def test_problems_are_at_their_fields(page: Page) -> None:
    """The SDK's own list, before anything is sent; the form keeps what was written."""
    page.run("document.getElementById('prompt').value = 'x'.repeat(5000)")
    page.driver.find_element(By.CSS_SELECTOR, "#order button").click()
    page.until(lambda: page.shows("prompt-problem"))
    assert "4,000" in page.text("prompt-problem") or "4000" in page.text("prompt-problem")
    assert page.run("return document.getElementById('prompt').getAttribute('aria-invalid')") == "true"
    assert page.run("return document.activeElement.id") == "prompt"
    assert not page.shows("video")
    page.shot("5-problem")


def test_a_prompt_is_text(page: Page) -> None:
    """Neither the page nor the list runs what a visitor wrote."""
    nasty = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    page.order(nasty)
    page.until_headline("Being made", "Ready")
    assert page.text("words") == nasty
    assert page.driver.find_element(By.CSS_SELECTOR, "#list .prompt").text.startswith("<img")
    page.driver.refresh()
    page.until_headline("Ready")
    assert page.text("words") == nasty
    assert "owned" not in page.driver.title
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0


def test_a_reload_goes_on(page: Page, emulator: EmulatorThread) -> None:
    """The address names the video; nothing is ordered anew."""
    page.order("a lake [takes:6]")
    page.until_headline("Being made")
    page.driver.refresh()
    page.until_headline("Being made")
    assert page.text("words") == "a lake [takes:6]"
    page.until_headline("Ready")
    page.until(page.plays)
    # Without the address the list of this browser knows it.
    page.open()
    link = page.driver.find_element(By.CSS_SELECTOR, "#list a").get_attribute("href")
    assert link == f"{page.url}/#{_first(page)}"
    assert emulator.statistics().creates == 1


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_page_goes_on_through_a_restart(
    page: Page, application: Application, emulator: EmulatorThread, end: str
) -> None:
    """The server stops or dies and comes back: the open page ends with the clip, and nobody reloads it."""
    page.order("a harbour [takes:8]")
    page.until_headline("Being made")
    page.order("a lake at dawn [takes:6]")
    page.until_headline("In the queue")
    if end == "stop":
        application.stop()
    else:
        application.kill()
    page.until(lambda: page.shows("connection"))
    page.shot(f"9-restarting-{end}")
    application.start()
    page.until(lambda: not page.shows("connection"))
    page.until_headline("Being made")
    page.until_headline("Ready")
    page.until(page.plays)
    assert dict(emulator.statistics().creates_by_prompt) == {"a harbour [takes:8]": 1, "a lake at dawn [takes:6]": 1}


def test_an_order_is_sent_when_the_server_is_back(
    page: Page, application: Application, emulator: EmulatorThread
) -> None:
    """Ordered while there is no server: the page keeps it and sends it, once."""
    application.kill()
    page.order("a lake")
    page.until(lambda: page.shows("connection"))
    application.start()
    page.until_headline("Ready")
    assert emulator.statistics().creates == 1


def test_an_order_that_a_proxy_answers_for_is_sent_again(page: Page, emulator: EmulatorThread) -> None:
    """502 and 504, the second for an order that has arrived: neither "nothing was charged" nor a second video."""
    page.run(
        """
        const real = window.fetch;
        let calls = 0;
        window.fetch = async (...request) => {
          calls += 1;
          if (calls === 2) await real(...request);
          return calls > 2 ? real(...request) : new Response("<h1>Bad gateway</h1>", { status: 500 + 2 * calls });
        };
        """
    )
    page.order("a lake")
    page.until(lambda: page.shows("connection"))
    page.until_headline("Ready", "There is no video")
    assert page.text("headline") == "Ready"
    assert emulator.statistics().creates == 1


def test_what_waits_can_be_taken_back(page: Page, emulator: EmulatorThread) -> None:
    """The button is there while it is true, and costs nothing."""
    page.order("a harbour [takes:6]")
    page.until_headline("Being made")
    page.order("a lake")
    page.until_headline("In the queue")
    page.driver.find_element(By.ID, "cancel").click()
    page.until_headline("Taken back")
    assert page.text("charged") == "Nothing was charged."
    assert emulator.statistics().creates == 1


def test_it_fits_a_phone_and_the_night(page: Page) -> None:
    """No sideways scrolling at 360 pixels; dark where the system is."""
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.order("a very long word: " + "w" * 120 + " [takes:5]")
    page.until_headline("Being made")
    page.shot("6-phone")
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.run(wide) <= 0
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    page.until_headline("Ready")
    page.until(page.plays)
    page.shot("7-phone-dark")
    assert page.run(wide) <= 0
    background = page.run("return getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(16, 16, 24)"
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.shot("8-dark")


def test_every_control_has_a_name(page: Page) -> None:
    """What a screen reader reads out; and the keyboard reaches the form in its order."""
    names = page.run(
        """return [...document.querySelectorAll('#order textarea, #order select')].map(e => e.labels.length)"""
    )
    assert names == [1, 1, 1, 1]
    reached = page.run(
        """return [...document.querySelectorAll('#order :is(textarea, select, button)')].map(e => e.tabIndex)"""
    )
    assert reached == [0] * 5
    assert page.run("return document.documentElement.lang") == "en"
    assert page.run("return document.getElementById('headline').getAttribute('aria-live')") == "polite"


def _first(page: Page) -> str:
    return str(page.run("return JSON.parse(localStorage.getItem('videos'))[0].id"))
