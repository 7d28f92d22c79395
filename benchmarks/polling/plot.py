"""The trade-off curves as a picture: one panel per law, polls per task against mean delay, both logarithmic."""

from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Final

from benchmarks.polling.account import Figures
from benchmarks.polling.curves import DEFAULT_TARGET, USUAL_INTERVAL, Curves

_WIDTH, _HEIGHT = 250.0, 220.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 40.0, 28.0, 12.0, 34.0
_COLUMNS: Final = 4
_DELAYS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_POLLS: Final = (2, 5, 10, 20, 50, 100)
_X_RANGE: Final = (0.18, 7.0)
_Y_RANGE: Final = (1.8, 160.0)
_FONT: Final = 'font-family="sans-serif" font-size="10" fill="#111827"'
#: Told apart also without colour: by the dashes.
_STYLES: Final = {
    "every few seconds": ("#b45309", ""),
    "ours, learning": ("#1d4ed8", ""),
    "ours, law known": ("#1d4ed8", "2 3"),
    "bound": ("#6b7280", "6 3"),
}


def picture(found: Mapping[str, Curves]) -> str:
    """Return the whole picture as SVG."""
    rows = -(-(len(found) + 1) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" {_FONT}>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    for number, (name, curves) in enumerate(found.items()):
        parts += _panel(number, name, curves)
    parts += _legend(len(found))
    return "\n".join([*parts, "</svg>", ""])


def _panel(number: int, name: str, curves: Curves) -> Iterable[str]:
    yield _group(number)
    yield f'<text x="{_LEFT}" y="18" font-weight="bold">{name}</text>'
    for delay in _DELAYS:
        x = _x(delay)
        yield _line([(x, _TOP), (x, _HEIGHT - _BOTTOM)], "#e5e7eb", "")
        yield f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 13:.1f}" text-anchor="middle">{delay:g}</text>'
    for polls in _POLLS:
        y = _y(polls)
        yield _line([(_LEFT, y), (_WIDTH - _RIGHT, y)], "#e5e7eb", "")
        yield f'<text x="{_LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{polls}</text>'
    yield f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">mean delay, seconds</text>'
    lines = {
        "every few seconds": _points(curves.fixed.values()),
        "ours, learning": _points(curves.ours.values()),
        "ours, law known": _points(curves.known.values()),
        # Half of a round trip is in every delay that is measured.
        "bound": [(_x(delay + 0.05), _y(curves.least / delay)) for delay in (0.15, 0.3, 0.6, 1.2, 2.4, 4.8)],
    }
    for which, points in lines.items():
        inside = [(x, y) for x, y in points if _TOP <= y <= _HEIGHT - _BOTTOM and _LEFT <= x <= _WIDTH - _RIGHT]
        yield _line(inside, *_STYLES[which])
    yield _dot(curves.fixed[USUAL_INTERVAL], _STYLES["every few seconds"][0])
    yield _dot(curves.ours[DEFAULT_TARGET], _STYLES["ours, learning"][0])
    yield _cross(curves.backing_off)
    yield "</g>"


def _legend(number: int) -> Iterable[str]:
    yield _group(number)
    yield f'<text x="{_LEFT}" y="18" font-weight="bold">polls per task against mean delay</text>'
    for row, (which, style) in enumerate(_STYLES.items()):
        y = 42.0 + 18.0 * row
        yield _line([(_LEFT, y), (_LEFT + 30, y)], *style)
        yield f'<text x="{_LEFT + 38}" y="{y + 3}">{which}</text>'
    notes = [
        f"dots: every {USUAL_INTERVAL:g} seconds, and the default",
        f"({DEFAULT_TARGET:g} seconds where jobs wait)",
        "cross: sleep grows by half, 1 to 30 s",
        "50 slots, 1,000 tasks, requests of 0.1 s",
    ]
    for row, note in enumerate(notes):
        yield f'<text x="{_LEFT}" y="{122 + 15 * row}">{note}</text>'
    yield "</g>"


def _group(number: int) -> str:
    return f'<g transform="translate({number % _COLUMNS * _WIDTH:.0f} {number // _COLUMNS * _HEIGHT:.0f})">'


def _points(figures: Iterable[Figures]) -> list[tuple[float, float]]:
    return [(_x(each.delay), _y(each.polls)) for each in figures]


def _x(delay: float) -> float:
    low, high = _X_RANGE
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * log(delay / low) / log(high / low)


def _y(polls: float) -> float:
    low, high = _Y_RANGE
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * log(polls / low) / log(high / low)


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str) -> str:
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="1.4"{dashed}/>'


def _dot(figures: Figures, colour: str) -> str:
    return f'<circle cx="{_x(figures.delay):.1f}" cy="{_y(figures.polls):.1f}" r="3.5" fill="{colour}"/>'


def _cross(figures: Figures) -> str:
    # A growing sleep is far to the right: shown at the edge if it is beyond.
    x, y = min(_x(figures.delay), _WIDTH - _RIGHT), _y(figures.polls)
    return f'<path d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6" stroke="#111827" stroke-width="1.4" fill="none"/>'
