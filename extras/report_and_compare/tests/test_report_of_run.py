"""The report of a run that was trained, by the commands that a person types."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = pytest.mark.train


@pytest.fixture(scope='module')
def evaluated(launch, tmp_path_factory):
    """The folder of an evaluation of a run that learned little."""
    folder = tmp_path_factory.mktemp('reported')
    assert launch(folder, model='simple', image_size=16, train_epochs=1, learning_rate=1e-6) == 0
    assert launch(folder, 'evaluate', validation_name='shown') == 0
    return folder / 'checkpoints' / 'eval_shown'


def test_the_page_shows_what_the_evaluation_found(evaluated):
    page = (evaluated / 'report.html').read_text()
    metrics = json.loads((evaluated / 'metrics.json').read_text())
    assert f'<dt>accuracy</dt><dd>{metrics["accuracy"]:.4f}</dd>' in page
    assert re.findall(r'<th class="name">(\w+)', page) == ['blue', 'green', 'red']
    wrong = round((1 - metrics['accuracy']) * metrics['examples'])
    assert page.count('src="data:image/jpeg;base64,') == wrong > 0


def test_the_page_shows_what_the_run_left(evaluated):
    page = (evaluated / 'report.html').read_text()
    assert 'The ring marks the best average_loss, at step ' in page
    assert page.count('src="data:image/svg+xml;base64,') == 2
    row = r'<tr><th class="option">learning_rate</th><td class="value">1.0e-06</td>'
    assert re.search(rf'{row}<td class="value soft">command line</td>', page)
    assert '<tr><th class="option">versions</th>' in page
    assert '--validation_name shown' in page


def test_the_screen_names_the_page_last(launch, evaluated, capsys):
    assert launch(evaluated.parents[1], 'evaluate', validation_name='named') == 0
    page = evaluated.with_name('eval_named') / 'report.html'
    assert capsys.readouterr().out.endswith(f'\nreport: {page}\n')
    assert page.exists()


def test_a_report_that_is_not_wanted_leaves_none_of_another_checkpoint(launch, evaluated, capsys):
    folder = evaluated.with_name('eval_old')
    assert launch(evaluated.parents[1], 'evaluate', validation_name='old') == 0
    assert (folder / 'report.html').exists()
    capsys.readouterr()
    assert launch(evaluated.parents[1], 'evaluate', validation_name='old', no_report=None) == 0
    assert not (folder / 'report.html').exists()
    assert 'report.html' not in capsys.readouterr().out
