"""Encode drawn figures as PNG."""

from __future__ import annotations

import io
import warnings

from matplotlib.figure import Figure

# Points to an inch: screens show text of 5 points sharply at this.
DPI = 140


def png_of(figure: Figure) -> bytes:
    """Return the figure as a PNG."""
    png = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph ')  # drawn as boxes, of scripts without a font
        figure.savefig(png, format='png', dpi=DPI)
    return png.getvalue()
