"""The page in a real browser, as wide as a phone and as wide as a desktop."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

from extras.report_and_compare.tests.reported import (
    hparams_of,
    make_evaluation,
    make_mistakes,
    make_run,
    page_of,
)

pytestmark = pytest.mark.process

BROWSER = next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)
FLAGS = [
    *('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'),
    *('--disable-background-networking', '--disable-component-update', '--disable-sync'),
]
WIDTHS = (360, 1280)
# Runs outside of the page, which itself runs nothing. Frames, as no window is narrower than 500.
MEASURE = """
addEventListener('load', () => {
  const found = [...document.querySelectorAll('iframe')].map(frame => {
    const page = frame.contentDocument;
    return {
      width: page.documentElement.clientWidth,
      needed: page.documentElement.scrollWidth,
      wide: [...page.querySelectorAll('body *')].filter(each =>
        !each.closest('.box *') &&
        each.getBoundingClientRect().right > page.documentElement.clientWidth + 0.5
      ).map(each => each.tagName + '.' + each.className),
      pictures: [...page.images].map(each => each.complete && each.naturalWidth),
      boxes: [...page.querySelectorAll('.box')].some(each => each.scrollWidth > each.clientWidth),
      drawn: [...page.querySelectorAll('.chart')].map(each => each.getBoundingClientRect().width),
      back: getComputedStyle(page.body).backgroundColor,
    };
  });
  document.getElementById('found').textContent = JSON.stringify(found);
});
"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason='needs Chromium or Chrome on the PATH')


@pytest.fixture(scope='module')
def measured(tmp_path_factory):
    """What the browser says of two pages at each width, all that is folded opened."""
    folder = tmp_path_factory.mktemp('browser')
    hparams = hparams_of(make_run(folder / 'run'))
    long = ('W' * 200, 'two ' * 50)
    pages = {
        'plain': make_evaluation(mistakes=make_mistakes(30), confusion=[[7, 3], [0, 10]]),
        'long': make_evaluation(long, make_mistakes(2, *long, 'f' * 300), [[1, 1], [0, 1]]),
    }
    frames = [
        f'<iframe style="width:{width}px" srcdoc="{html.escape(_opened(page))}"></iframe>'
        for page in (page_of(hparams, evaluation) for evaluation in pages.values())
        for width in WIDTHS
    ]
    around = folder / 'around.html'
    around.write_text(
        '<!doctype html><meta charset="utf-8"><style>iframe { border: 0; height: 900px }</style>'
        f'<pre id="found"></pre>{"".join(frames)}<script>{MEASURE}</script>'
    )
    done = subprocess.run(
        [BROWSER, *FLAGS, f'--user-data-dir={folder / "profile"}', '--dump-dom', around.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout.decode(), flags=re.DOTALL)
    keys = [(name, width) for name in pages for width in WIDTHS]
    return dict(zip(keys, json.loads(html.unescape(found[1])), strict=True))


def _opened(page):
    return page.replace('<details>', '<details open>')


@pytest.mark.parametrize('name', ['plain', 'long'])
@pytest.mark.parametrize('width', WIDTHS)
def test_the_page_never_scrolls_sideways(measured, name, width):
    found = measured[name, width]
    assert found['width'] == width or found['width'] == width - 15  # beside a scroll bar
    assert found['needed'] == found['width']
    assert found['wide'] == []


def test_wide_tables_scroll_in_boxes_of_their_own(measured):
    assert measured['plain', 360]['boxes']
    assert not measured['plain', 1280]['boxes']


@pytest.mark.parametrize('width', WIDTHS)
def test_every_picture_is_loaded(measured, width):
    pictures = measured['plain', width]['pictures']
    assert len(pictures) == 29
    assert min(pictures) >= 100
    assert min(measured['plain', width]['drawn']) > 250


def test_the_style_is_taken(measured):
    assert measured['plain', 360]['back'] not in ('rgba(0, 0, 0, 0)', 'rgb(255, 255, 255)')
