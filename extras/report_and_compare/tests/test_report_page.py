"""The page of a run, as text."""

from __future__ import annotations

import base64
import html.parser
import json
import os
import re
import shutil

import pytest

from extras.report_and_compare.report.page import evaluation_files
from extras.report_and_compare.tests.reported import (
    hparams_of,
    make_evaluation,
    make_mistakes,
    make_run,
    page_of,
    photo,
    save_values,
)
from library.modes.evaluation.plots import Plots

pytestmark = pytest.mark.graph

# Names that would spoil a page that does not expect them.
ODD_NAMES = ('<script>alert(1)</script>', '" onerror="x', '{{ 7 * 7 }}', 'caf\udce9', '$x$', '日本')


def text_of(page):
    """What a reader sees, in one line."""
    body = page.partition('<body>')[2]
    return ' '.join(html.unescape(re.sub(r'<[^>]+>', ' ', body)).split())


def tags_of(page):
    """Every tag with the names of its attributes, as a browser takes them."""
    found = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(
        (tag, [name for name, _ in attributes])
    )
    parser.feed(page)
    return found


def drawings_in(page):
    """The SVG of each chart."""
    found = re.findall(r'src="data:image/svg\+xml;base64,(.*?)"', page)
    return [base64.b64decode(each).decode() for each in found]


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """The page of a run that left everything."""
    folder = make_run(tmp_path_factory.mktemp('report') / 'run', starts=2)
    evaluation = make_evaluation(
        mistakes=make_mistakes(30), confusion=[[7, 3], [0, 10]], folder=f'{folder}/eval'
    )
    return page_of(hparams_of(folder, '--validation_checkpoint', '20'), evaluation)


def test_the_head_says_how_good_the_model_is(page):
    seen = text_of(page)
    assert '17 of 20 images of test classified correctly, at step 20' in seen
    assert 'accuracy 0.8500 average loss 0.2500 auc - Learning curves' in seen


def test_there_is_a_curve_for_each_metric_and_the_best_is_marked(page):
    seen = text_of(page)
    assert 'The ring marks the best average_loss, at step 20.' in seen
    assert re.findall(r'<figcaption>(\w+), by step', page) == ['average_loss', 'accuracy', 'f_beta']
    drawings = drawings_in(page)
    assert [drawing.count('id="ring"') for drawing in drawings] == [1, 1, 1]
    # The batches' accuracy is nowhere a number, and nothing is known of the third metric's.
    assert [drawing.count('stroke-opacity: 0.75') for drawing in drawings] == [1, 0, 0]


def test_tables_and_plots_tell_of_the_classes(page):
    seen = text_of(page)
    assert 'Class Images Precision Recall F1 AUC cat 3 - 0.0000 0.0000 0.5000 dog' in seen
    assert 'True Taken for Images Of the class cat dog 3 30.0 %' in seen
    assert page.count('src="data:image/png;base64,') == 2


def test_no_more_mistakes_are_shown_than_can_be_looked_at(page):
    assert page.count('src="data:image/jpeg;base64,') == 24
    seen = text_of(page)
    assert '24 of 30 (mistakes.csv has all).' in seen
    assert 'cat → dog 0.800 test/cat/1.jpg' in seen


def test_values_are_shown_with_origins_and_defaults_are_folded(page):
    given, folded = page.partition('Configuration')[2].split('<details>')[:2]
    assert 'learning_rate 0.003 hyperparameters.yaml:22' in text_of(f'<body>{given}')
    assert 'optimizer' not in given
    assert 'optimizer adam default' in text_of(f'<body>{folded}')


def test_the_last_start_and_the_commands_are_reported(page):
    seen = text_of(page)
    assert 'The last of 2 starts that differ.' in seen
    assert 'gpus none versions python 3.11.7 git commit c0ffee, dirty no' in seen
    assert ".venv/bin/python run.py --model simple --data_dir 'my photos' Evaluate" in seen


def test_the_page_needs_nothing_but_itself(page):
    assert '<script' not in page
    assert 'http' not in page.replace('http-equiv', '')
    assert '<link' not in page
    assert 'url(' not in page
    assert {address[:11] for address in re.findall(r'src="(.*?)"', page)} == {'data:image/'}
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page


def test_every_picture_has_a_text(page):
    images = re.findall(r'<img [^>]*>', page)
    assert len(images) == 29
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in images)
    assert len([each for each in images if re.search(r'alt="\w+ \(evaluations\) by', each)]) == 3


@pytest.fixture(scope='module')
def plain_tags(tmp_path_factory):
    """The tags of the page of a small run whose names are letters."""
    folder = make_run(tmp_path_factory.mktemp('plain') / 'run')
    plain = make_evaluation(('a', 'b'), make_mistakes(1), [[1, 1], [0, 1]])
    return tags_of(page_of(hparams_of(folder), plain))


@pytest.mark.parametrize('name', ODD_NAMES)
def test_names_are_shown_and_never_obeyed(tmp_path, name, plain_tags):
    folder = make_run(tmp_path / name.replace('/', ''))
    mistakes = make_mistakes(1, name, f'{name}2', f'{name}.jpg')
    evaluation = make_evaluation((name, f'{name}2'), mistakes, [[1, 1], [0, 1]])
    page = page_of(hparams_of(folder), evaluation)
    assert tags_of(page) == plain_tags
    shown = name.replace('\udce9', '?')
    assert f'{shown} → {shown}2 0.800 {shown}.jpg' in text_of(page)


def test_a_run_that_left_nothing_has_a_page_too(tmp_path):
    folder = make_run(tmp_path / 'run', history=False, training=False, starts=0)
    for name in ('hparams.yaml', 'hparams.json'):
        os.remove(tmp_path / 'run' / name)
    hparams = hparams_of(folder)
    seen = text_of(page_of(hparams, make_evaluation()))
    assert 'The run has no evaluations of its training (eval/history.jsonl).' in seen
    assert 'No image was misclassified.' in seen
    assert 'The run keeps no record of its machine (environment.json).' in seen
    assert f'.venv/bin/python run.py evaluate --model_dir {folder}' in seen.replace(' \\', '')
    assert 'Most confused' not in seen
    assert 'optimizer adam default' in seen
    assert 'train_steps none default' in seen


def test_best_checkpoints_show_the_curves_of_their_run(tmp_path):
    folder = tmp_path / 'run'
    make_run(folder)
    best = tmp_path / 'best'
    best.mkdir()
    for name in ('hparams.yaml', 'hparams.json'):
        shutil.copy(folder / name, best)
    (best / 'best.json').touch()
    seen = text_of(page_of(hparams_of(str(best)), make_evaluation()))
    assert 'The ring marks the best average_loss, at step 20.' in seen
    assert '--data_dir' in seen
    # Another run has its folder now.
    save_values(folder, run_id='def')
    seen = text_of(page_of(hparams_of(str(best)), make_evaluation()))
    assert 'The curves lie in the folder of the run that these checkpoints come from' in seen
    assert '--data_dir' not in seen


def test_many_classes_are_folded_under_the_worst(tmp_path):
    names = [f'class_{number}' for number in range(1000)]
    folder = make_run(tmp_path / 'run')
    page = page_of(hparams_of(folder), make_evaluation(names))
    before, details, after = page.partition('<details><summary>All 1000 classes')
    assert details
    assert re.findall(r'<th class="name">(\w+)', before) == names[:15]
    assert re.findall(r'<th class="name">(\w+)', after) == names
    assert len(page) < 500_000


@pytest.mark.parametrize('jpeg', [b'no image', photo()[:300], None])
def test_an_image_that_cannot_be_read_costs_no_more_than_its_picture(tmp_path, jpeg):
    (mistake,) = make_mistakes(1)
    mistake = type(mistake)(**{**vars(mistake), 'jpeg': jpeg})
    seen = text_of(
        page_of(hparams_of(make_run(tmp_path / 'run')), make_evaluation(mistakes=[mistake]))
    )
    assert 'no picture cat → dog' in seen


def test_a_folder_that_is_no_utf_8_spoils_no_page(tmp_path):
    hparams = hparams_of(make_run(tmp_path / 'caf\udce9'))
    page = evaluation_files(hparams, make_evaluation(), Plots(photo(), photo()))['report.html']
    assert page.startswith(b'<!doctype html>')
    assert rb'caf\udce9' in page


def test_values_are_only_said_to_be_given_where_it_is_known(tmp_path):
    folder = make_run(tmp_path / 'run')
    seen = text_of(page_of(hparams_of(folder), make_evaluation()))
    assert 'What is not at its default.' in seen
    assert 'learning_rate 0.003 hyperparameters.yaml:22' in seen


def test_an_older_run_shows_its_values_without_origins(tmp_path):
    folder = make_run(tmp_path / 'run')
    (tmp_path / 'run' / 'hparams.json').unlink()
    seen = text_of(page_of(hparams_of(folder), make_evaluation()))
    assert 'What is not known to be at its default.' in seen
    assert 'learning_rate 0.003 optimizer adam' in seen


def test_names_that_are_no_utf_8_cost_no_origins(tmp_path):
    folder = make_run(tmp_path / 'run')
    save_values(tmp_path / 'run', class_names=['caf\udce9', 'dog'])
    seen = text_of(page_of(hparams_of(folder), make_evaluation()))
    assert 'What is not at its default.' in seen


def test_an_installed_command_is_reported_as_it_was_typed(tmp_path):
    folder = make_run(tmp_path / 'run')
    path = tmp_path / 'run' / 'environment.json'
    command = json.loads(path.read_text())['starts'][0]['command']
    installed = command.replace('run.py', '/anywhere/bin/scaffold-run')
    path.write_text(json.dumps({'starts': [{'command': installed}]}))
    page = page_of(hparams_of(folder), make_evaluation(), '/anywhere/bin/scaffold-run')
    seen = text_of(page).partition('Commands')[2]
    assert "Train scaffold-run --model simple --data_dir 'my photos' Evaluate" in seen
    assert f'Evaluate scaffold-run evaluate --model_dir {folder}' in seen.replace(' \\', '')
    assert 'run.py' not in seen
