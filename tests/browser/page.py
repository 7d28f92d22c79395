"""The page as a visitor sees and uses it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

#: Real seconds for something to appear; what is waited for takes a few.
_PATIENCE: Final = 60.0


@frozen
class Page:
    """The page in a browser."""

    driver: webdriver.Chrome
    url: str
    shots: Path

    def open(self, fragment: str = "") -> None:
        """Go there."""
        self.driver.get(self.url + fragment)

    def order(self, prompt: str) -> str:
        """Fill in the form and send it; gives the id of the video."""
        before = self.fragment()
        field = self.driver.find_element(By.ID, "prompt")
        field.clear()
        field.send_keys(prompt)
        self.driver.find_element(By.CSS_SELECTOR, "#order button").click()
        self.until(lambda: self.fragment() != before)
        return self.fragment()

    def fragment(self) -> str:
        """Return what the address names."""
        return self.driver.current_url.partition("#")[2]

    def text(self, element: str) -> str:
        """Return the visible text of an element."""
        return self.driver.find_element(By.ID, element).text

    def shows(self, element: str) -> bool:
        """Whether an element is to be seen."""
        return self.driver.find_element(By.ID, element).is_displayed()

    def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds."""
        WebDriverWait(self.driver, _PATIENCE, poll_frequency=0.1).until(lambda _: holds())

    def until_headline(self, *words: str) -> str:
        """Wait for one of these headlines; each is its beginning."""
        self.until(lambda: self.text("headline").startswith(words))
        return self.text("headline")

    def run(self, script: str) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script)

    def plays(self) -> bool:
        """Whether the clip has been decoded and its time goes on."""
        return bool(self.run("const v = document.getElementById('player'); return v.readyState >= 2 && !v.error"))

    def shot(self, name: str) -> None:
        """Take a picture of the whole page."""
        self.driver.save_screenshot(str(self.shots / f"{name}.png"))

    def complaints(self) -> list[str]:
        """Return what the browser has complained about: failed scripts, refused styles."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
