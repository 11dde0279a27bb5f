"""Templates of pages."""

from __future__ import annotations

import sys

import jinja2
import pytest

from library.pages.template import template


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Renders a template of a package of this test."""

    def call(body, **values):
        package = tmp_path / 'pages_of_test'
        package.mkdir(exist_ok=True)
        (package / '__init__.py').touch()
        text = "{% extends 'base.html' %}{% block body %}" + body + '{% endblock %}'
        (package / 'page.html').write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, 'pages_of_test', raising=False)
        return template('pages_of_test', 'page.html').render(title='A & B', **values)

    return call


def test_a_page_has_the_head_of_all_pages(page):
    text = page('<p>here</p>')
    assert text.startswith('<!doctype html>\n')
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text
    assert '<title>A &amp; B</title>' in text
    assert text.endswith('<body>\n<p>here</p></body>\n</html>')


def test_names_are_text_and_are_cut(page):
    text = page('{{ name | short }}|{{ file | file_end }}|', name='<b>' * 20, file='f' * 200)
    name, file, _ = text.partition('<body>\n')[2].split('|')
    assert name == '&lt;b&gt;' * 13 + '…'
    assert file == '…' + 'f' * 119


def test_a_name_that_nobody_gave_is_an_error(page):
    with pytest.raises(jinja2.UndefinedError):
        page('{{ missing }}')
