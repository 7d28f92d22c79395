"""The page: one HTML file, one style sheet, one script, as they are."""

from pathlib import Path
from typing import Final

#: Served under `/static`; `index.html` is the page.
FOLDER: Final = Path(__file__).parent / "page"
PAGE: Final = FOLDER / "index.html"
#: What is in a prompt is text. Should the page ever get that wrong, the browser runs nothing and asks nobody all the
#: same: no script but ours, no style but ours, no other host.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
