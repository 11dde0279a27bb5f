"""Make page templates that run nothing, load nothing and obey no name.

A page extends base.html, which has the styles and the Content-Security-Policy of all pages.
"""

from __future__ import annotations

import importlib.resources
from functools import partial

import jinja2

from library.pages.short_text import end_of, printable, short_name

LONGEST_NAME, LONGEST_FILE = 40, 120
BASE = 'base.html'


def template(package: str, name: str) -> jinja2.Template:
    """Read a template that lies in a package.

    In it `| short` keeps the start of a name, and `| file_end` the end of a path.

    Args:
      package: the caller's own, as `__package__` names it.
      name: of the file; it extends 'base.html'.
    """
    texts = {BASE: _read(__package__, BASE), name: _read(package, name)}
    rules = jinja2.Environment(
        loader=jinja2.DictLoader(texts),
        # Names of classes and files are anybody's.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rules.filters['short'] = partial(short_name, length=LONGEST_NAME)
    rules.filters['file_end'] = _file_end
    return rules.get_template(name)


def _read(package: str, name: str) -> str:
    return importlib.resources.files(package).joinpath(name).read_text('utf-8')


def _file_end(name: str) -> str:
    """Return the end of a long path, which says more than its start."""
    return end_of(printable(name), LONGEST_FILE)
