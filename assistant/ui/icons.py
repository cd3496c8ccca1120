"""The icons of the page: thin lines on a grid of 24, in the colour of the text around them."""

from __future__ import annotations

__all__ = ["icon"]

_PATHS = {
    "mark": "M4 5h9M4 10h16M4 15h12M4 20h7M17 3v6M20 6h-6",
    "send": "M12 19V5M5 12l7-7 7 7",
    "stop": "M7 7h10v10H7z",
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "retry": "M4 12a8 8 0 1 0 2.6-5.9M4 4v4h4",
    "edit": "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
    "up": "M7 11v9H4v-9zM7 11l4-8c1.6 0 2.6 1.2 2.3 2.8L12.7 9H19a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.8 20H7",
    "down": "M17 13V4h3v9zM17 13l-4 8c-1.6 0-2.6-1.2-2.3-2.8l.6-3.2H5a2 2 0 0 1-2-2.3l1.2-7A2 2 0 0 1 6.2 4H17",
    "down-line": "M12 4v11M7 10l5 5 5-5M5 20h14",
    "quote": "M5 4h14v16l-7-4-7 4z",
    "link": "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1",
    "close": "M6 6l12 12M18 6L6 18",
    "search": "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
    "alert": "M12 4l9 16H3zM12 10v4M12 17v.5",
    "near": "M12 3v4M12 17v4M3 12h4M17 12h4M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    "theme": "M12 3a9 9 0 1 0 9 9 7 7 0 0 1-9-9z",
    "menu": "M4 7h16M4 12h16M4 17h10",
    "map": "M6 7a2 2 0 1 0 .1 0M15 5a2 2 0 1 0 .1 0M18 14a2 2 0 1 0 .1 0M9 15a2 2 0 1 0 .1 0",
    "bin": "M4 7h16M10 4h4M6 7l1 13h10l1-13M10 11v5M14 11v5",
}


def icon(name: str) -> str:
    """The icon as inline SVG, silent for screen readers."""
    return (
        '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.7" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        f'<path d="{_PATHS[name]}"/></svg>'
    )
