"""Where a run lives: time-stamped folders, the link to the latest, and emptying a folder."""

from __future__ import annotations

import re
import time

import pytest

from library import files
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.runs.directory import claim, empty_run_folder, find_run, in_run_directory, link_latest
from project.options import CATALOG


def command_line(folder, *words):
    return parse(['--model_dir', str(folder), *words], CATALOG)


def found(folder, *words, training=True):
    return find_run(CATALOG, command_line(folder, *words), training)


def values(folder, *words):
    """HParams of a training run that is told to live in this folder, and its run_directory."""
    run_directory = found(folder, *words)
    return in_run_directory(
        resolve(CATALOG, command_line(folder, *words)), run_directory
    ), run_directory


def make_run(folder, text='learning_rate: 0.5\n'):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'hparams.yaml').write_text(text)
    (folder / 'checkpoint').write_text('')
    (folder / 'eval').mkdir()
    (folder / 'eval' / 'history.jsonl').write_text('')
    (folder / 'events.out.tfevents.1').write_text('')
    return folder


def make_stamped(folder):
    return make_run(folder, 'time_stamped: true\nlearning_rate: 0.5\n')


def test_a_run_lives_in_model_dir_with_the_values_that_it_kept(tmp_path):
    run_directory = found(make_run(tmp_path / 'run'))
    assert run_directory.folder == str(tmp_path / 'run')
    assert run_directory.saved['learning_rate'].text == '0.5'
    assert not run_directory.time_stamped


def test_a_time_stamped_run_gets_a_folder_named_by_the_time(tmp_path):
    run_directory = found(tmp_path, '--time_stamped')
    name = run_directory.folder.removeprefix(f'{tmp_path}/')
    assert re.fullmatch(r'\d{4}-\d\d-\d\d-\d\d_\d\d_\d\d', name)
    assert run_directory.saved is None
    assert not (tmp_path / name).exists()  # --explain makes no folders


def test_a_time_stamped_run_is_a_new_one_also_below_a_run_without_a_stamp(tmp_path):
    run_directory = found(make_run(tmp_path), '--time_stamped')
    assert run_directory.folder.startswith(f'{tmp_path}/2')
    assert run_directory.saved is None


def test_two_runs_of_one_second_get_a_folder_each(tmp_path, monkeypatch):
    monkeypatch.setattr(time, 'strftime', lambda form: 'now')
    # Both look before one of them makes its folder.
    both = [values(tmp_path / 'runs', '--time_stamped') for _ in range(2)]
    claimed = [claim(*each) for each in both]
    assert [each.model_dir for each in claimed] == [
        f'{tmp_path}/runs/now',
        f'{tmp_path}/runs/now-2',
    ]
    assert claimed[1].best_model_dir == f'{tmp_path}/runs/now-2/best'
    assert found(tmp_path / 'runs', '--time_stamped').folder == f'{tmp_path}/runs/now-3'


@pytest.mark.parametrize('end', ['', '/'])
@pytest.mark.parametrize('words', [(), ('--time_stamped',)])
def test_a_time_stamped_run_is_gone_on_with_in_its_own_folder(tmp_path, words, end):
    folder = make_stamped(tmp_path / '2026-01-01-00_00_00')
    link_latest(str(folder))
    for name in (folder, tmp_path / 'latest'):
        hparams, run_directory = values(f'{name}{end}', *words)
        assert run_directory.folder == str(folder)
        assert claim(hparams, run_directory) is hparams
        assert hparams.best_model_dir == f'{folder}/best'


def test_other_modes_look_into_the_latest_time_stamped_run(tmp_path):
    make_run(tmp_path)
    for name in ('2026-01-01-00_00_00', '2026-01-02-00_00_00'):
        folder = make_stamped(tmp_path / name)
    run_directory = found(tmp_path, '--time_stamped', training=False)
    assert run_directory.folder == str(folder)
    assert run_directory.saved['learning_rate'].text == '0.5'
    link_latest(str(tmp_path / '2026-01-01-00_00_00'))
    run_directory = found(tmp_path, '--time_stamped', training=False)
    assert run_directory.folder == f'{tmp_path}/2026-01-01-00_00_00'


def test_other_modes_take_a_run_without_a_stamp_where_there_is_no_other(tmp_path):
    run_directory = found(make_run(tmp_path), '--time_stamped', training=False)
    assert (run_directory.folder, run_directory.time_stamped) == (str(tmp_path), False)


def test_a_time_stamped_run_keeps_its_best_checkpoints_in_its_own_folder(tmp_path):
    hparams, run_directory = values(tmp_path, '--time_stamped')
    assert hparams.model_dir == run_directory.folder
    assert hparams.best_model_dir == f'{run_directory.folder}/best'
    assert hparams.origin('model_dir') == 'time_stamped'


def test_a_folder_for_the_best_that_was_typed_is_taken(tmp_path):
    hparams, _ = values(tmp_path, '--time_stamped', '--best_model_dir', 'mine')
    assert hparams.best_model_dir == 'mine'


def test_without_time_stamps_no_value_changes(tmp_path):
    hparams = resolve(CATALOG, command_line(tmp_path))
    assert in_run_directory(hparams, found(tmp_path)) is hparams


def test_the_link_follows_the_newest_run(tmp_path):
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        link_latest(str(tmp_path / name))
    assert (tmp_path / 'latest').resolve() == tmp_path / 'two'
    assert sorted(p.name for p in tmp_path.iterdir()) == ['latest', 'one', 'two']


def test_a_folder_in_the_place_of_the_link_is_left_alone(tmp_path):
    (tmp_path / 'latest').mkdir()
    (tmp_path / 'one').mkdir()
    with pytest.raises(ConfigError, match='latest: a folder stands where the link'):
        link_latest(str(tmp_path / 'one'))


@pytest.mark.graph
def test_remote_runs_get_no_link():
    files.make_folder('ram://stamped/one')
    link_latest('ram://stamped/one')
    assert files.names_in('ram://stamped') == ['one']


def test_a_run_that_will_be_emptied_has_kept_nothing(tmp_path):
    run_directory = found(make_run(tmp_path), '--clean')
    assert (run_directory.folder, run_directory.saved) == (str(tmp_path), None)


def test_a_new_time_stamped_run_has_nothing_to_clean(tmp_path):
    with pytest.raises(ConfigError, match='--clean: a time-stamped run has a new folder'):
        found(tmp_path, '--time_stamped', '--clean')


def test_a_folder_with_other_runs_in_it_is_not_emptied(tmp_path):
    make_run(tmp_path)
    make_run(tmp_path / 'other')
    with pytest.raises(ConfigError, match=r'other: another run, so --clean leaves .* alone'):
        found(tmp_path, '--clean')


def test_best_checkpoints_inside_a_runs_folder_go_with_it(tmp_path):
    make_run(tmp_path / 'run')
    (tmp_path / 'run' / 'best').mkdir()
    (tmp_path / 'run' / 'best' / 'hparams.yaml').write_text('')
    empty_run_folder(str(tmp_path / 'run'), keep='.lock')
    assert not list((tmp_path / 'run').iterdir())


def test_other_folders_than_a_runs_are_not_emptied(tmp_path):
    (tmp_path / 'thesis.txt').write_text('years of work')
    with pytest.raises(ConfigError, match=r'no run of this project \(hparams.yaml is missing\)'):
        found(tmp_path, '--clean')
    with pytest.raises(ConfigError, match='--clean leaves it alone') as error:
        empty_run_folder(str(tmp_path), keep='.lock')
    assert error.value.exit_code == 2
    assert (tmp_path / 'thesis.txt').exists()


@pytest.mark.parametrize('name', ['missing', 'empty'])
def test_a_folder_with_nothing_in_it_may_be_emptied(tmp_path, name):
    (tmp_path / 'empty').mkdir()
    empty_run_folder(str(tmp_path / name), keep='.lock')
    assert found(tmp_path / name, '--clean').saved is None


def test_emptying_leaves_the_lock_and_what_links_lead_to(tmp_path):
    run = make_run(tmp_path / 'run')
    (run / '.lock').write_text('1')
    outside = tmp_path / 'outside'
    outside.mkdir()
    (outside / 'photo.jpg').write_text('')
    (run / 'link').symlink_to(outside)
    empty_run_folder(str(run), keep='.lock')
    assert [p.name for p in run.iterdir()] == ['.lock']
    assert (outside / 'photo.jpg').exists()


def test_an_emptying_that_is_broken_off_can_be_done_again(tmp_path, monkeypatch):
    run = make_run(tmp_path / 'run')
    real, removed = files.remove_all, []

    def dies_at_the_third(path):
        if len(removed) == 3:
            raise KeyboardInterrupt
        removed.append(path)
        real(path)

    monkeypatch.setattr(files, 'remove_all', dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        empty_run_folder(str(run), keep='.lock')
    monkeypatch.undo()
    assert [p.name for p in run.iterdir()] == ['hparams.yaml']
    empty_run_folder(str(run), keep='.lock')
    assert not list(run.iterdir())
