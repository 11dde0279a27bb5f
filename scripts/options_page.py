"""Write docs/options.md from the declarations of all options: `make docs`."""

from __future__ import annotations

from pathlib import Path

import convert_dataset
from library import files
from library.config.options_page import options_page
from project.options import CATALOG

PAGE = Path(__file__).resolve().parents[1] / 'docs' / 'options.md'


def current_page() -> str:
    """Return the page as the declarations have it now."""
    return options_page({'run.py': CATALOG, 'convert_dataset.py': convert_dataset.CORE})


if __name__ == '__main__':
    files.write_atomically(str(PAGE), current_page().encode())
