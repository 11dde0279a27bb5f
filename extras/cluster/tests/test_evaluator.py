"""The evaluator, beside a chief that is not there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal

import pytest
import tensorflow as tf

from extras.cluster import evaluator
from extras.cluster.job_notes import TaskEnd, note_ended, note_task_end
from extras.cluster.rendezvous import RUNNING, UNREACHABLE, Answer
from extras.cluster.tests.one_task import SMALL, TOTAL, become
from library.errors import MismatchError, ResourceError, Stopped
from library.exporters.history import read_history
from library.runs.lock import only_trainer

pytestmark = pytest.mark.train


@pytest.fixture
def unevaluated(run_dir, tmp_path):
    """A copy of the run, as a chief leaves it to its evaluator."""
    shutil.rmtree(run_dir / 'eval')
    shutil.rmtree(tmp_path / 'best')
    return run_dir


@pytest.fixture
def chief(monkeypatch):
    """The chief of the cluster whose evaluator this process is."""
    monkeypatch.setattr(evaluator, 'LOOK_SECONDS', 0.02)
    return become(monkeypatch, 'evaluator').chief


@pytest.fixture
def evaluate(launch, tmp_path, chief):
    """Runs the evaluator, which waits a second for its chief."""
    return lambda **flags: launch(
        tmp_path, **{**SMALL, 'cluster_timeout': 1, 'peer_timeout': 1, **flags}
    )


@pytest.fixture
def evaluated(monkeypatch):
    """Lets no evaluation take time; a list of the checkpoints, runs and ends that there were."""
    found = []

    class Evaluations:
        def __init__(self, experiment, hooks=()):
            self.run_id = experiment.run.run_id

        def has(self, step):
            return False

        def evaluate(self, checkpoint):
            assert os.path.exists(f'{checkpoint}.index')
            found.append((os.path.basename(checkpoint), self.run_id))

        def finish(self):
            found.append('finished')

    monkeypatch.setattr(evaluator, 'Evaluations', Evaluations)
    return found


def run_id(folder):
    return re.search(r'^run_id: (\S+)', (folder / 'hparams.yaml').read_text(), re.MULTILINE)[1]


def test_it_evaluates_the_newest_checkpoint_keeps_the_best_and_ends_with_training(
    unevaluated, evaluate, chief, tmp_path, capsys
):
    note_ended(str(unevaluated), TOTAL, 'all steps are trained')
    assert evaluate() == 0
    assert [each['global_step'] for each in read_history(str(unevaluated))] == [TOTAL]
    best = json.loads((tmp_path / 'best' / 'best.json').read_text())
    assert [each['global_step'] for each in best['snapshots']] == [TOTAL]
    assert best['run_id'] == run_id(unevaluated).strip("'")
    assert (tmp_path / 'best' / f'{best["snapshots"][0]["checkpoint"]}.index').exists()
    out = capsys.readouterr().out
    assert f'evaluating what {chief} saves in {unevaluated}\n' in out
    assert 'best: step 8, ' in out


def test_what_was_evaluated_already_is_not_evaluated_again(run_dir, evaluate, monkeypatch, capsys):
    monkeypatch.setattr(tf.estimator.Estimator, 'evaluate', None)
    before = read_history(str(run_dir))
    note_ended(str(run_dir), TOTAL, 'all steps are trained')
    assert evaluate() == 0
    assert read_history(str(run_dir)) == before
    assert 'best: step ' in capsys.readouterr().out


ALL_ON = 'the same command in all tasks goes on from the last checkpoint'


@pytest.mark.parametrize('note', ['of a shorter run', None])
def test_while_training_goes_on_a_chief_that_is_not_there_ends_it(
    run_dir, evaluate, chief, evaluated, note
):
    if note:
        note_ended(str(run_dir), TOTAL, note)
    with pytest.raises(ResourceError) as error:
        evaluate(train_epochs=3, peer_timeout=600)
    assert str(error.value) == f'{chief} did not start within 1 s: {ALL_ON}'
    assert 'finished' not in evaluated


def test_an_early_end_is_believed_if_the_evaluations_say_so_too(run_dir, evaluate, evaluated):
    note_ended(str(run_dir), TOTAL, 'stopped early')
    assert evaluate(train_epochs=3, stop_threshold=0) == 0
    assert evaluated[-1] == 'finished'


def test_evaluations_alone_do_not_end_it_while_the_chief_trains(run_dir, evaluate, evaluated):
    with pytest.raises(ResourceError):
        evaluate(train_epochs=3, stop_threshold=0)


def test_a_run_without_a_checkpoint_to_evaluate_is_waited_for(
    run_dir, evaluate, evaluated, tmp_path
):
    (run_dir / 'checkpoint').write_text('model_checkpoint_path: "model.ckpt-0"\n')
    with pytest.raises(ResourceError):
        evaluate()
    assert evaluated == []


@pytest.fixture
def answers(monkeypatch):
    """Makes the chief answer so, one after the other, and the last one for ever."""

    def give(*states):
        left, asked = list(states), []

        def ask(address):
            asked.append(address)
            state = left.pop(0) if len(left) > 1 else left[0]
            return Answer(state() if callable(state) else state)

        monkeypatch.setattr(evaluator, 'ask', ask)
        return asked

    return give


def test_a_chief_that_was_there_may_be_silent_for_peer_timeout_only(
    run_dir, evaluate, chief, evaluated, answers
):
    asked = answers(RUNNING, UNREACHABLE)
    with pytest.raises(ResourceError) as error:
        evaluate(train_epochs=3, cluster_timeout=600)
    assert str(error.value) == f'{chief} has not answered for 1 s: {ALL_ON}'
    assert set(asked) == {chief.address}


def test_one_answer_that_is_missing_after_a_long_evaluation_is_no_loss(
    run_dir, evaluate, evaluated, answers, monkeypatch
):
    now = [0.0]
    monkeypatch.setattr(evaluator.time, 'monotonic', lambda: now[0])

    def long_after():
        now[0] += 1000
        return UNREACHABLE

    def at_the_end():
        note_ended(str(run_dir), TOTAL, 'trained')
        return RUNNING

    answers(RUNNING, long_after, at_the_end)
    assert evaluate() == 0


def test_a_chief_that_was_stopped_stops_it_too(run_dir, evaluate, evaluated, answers):
    def stop():
        note_ended(str(run_dir), TOTAL, 'stopped')
        return RUNNING

    answers(stop)
    with pytest.raises(Stopped) as error:
        evaluate(train_epochs=3)
    assert str(error.value) == f'stopped together with another task; {ALL_ON}'


def test_a_chief_that_failed_is_reported_with_its_own_words(
    run_dir, evaluate, chief, evaluated, answers
):
    def fail():
        note_task_end(str(run_dir), chief, TaskEnd(6, 'the loss is nan'))
        return UNREACHABLE

    answers(RUNNING, fail)
    with pytest.raises(ResourceError) as error:
        evaluate(train_epochs=3, peer_timeout=600)
    assert str(error.value) == f'{chief} ended: the loss is nan'


def test_a_failure_of_an_older_start_is_not_that_of_a_chief_that_was_not_seen(
    run_dir, evaluate, chief, evaluated
):
    note_task_end(str(run_dir), chief, TaskEnd(6, 'the loss is nan'))
    with pytest.raises(ResourceError, match='did not start within 1 s'):
        evaluate(train_epochs=3)


def test_after_a_signal_it_ends_without_a_word_of_checkpoints(
    run_dir, evaluate, evaluated, answers
):
    answers(lambda: os.kill(os.getpid(), signal.SIGTERM) or RUNNING)
    with pytest.raises(Stopped) as error:
        evaluate(train_epochs=3)
    assert error.value.exit_code == 143
    text = 'stopped by SIGTERM; the same command goes on with what is not evaluated'
    assert str(error.value) == text
    assert 'finished' not in evaluated


def test_the_time_between_evaluations_does_not_delay_the_end(
    run_dir, evaluate, evaluated, monkeypatch
):
    note_ended(str(run_dir), TOTAL, 'trained')
    monkeypatch.setattr(evaluator.time, 'sleep', lambda seconds: pytest.fail('it waits'))
    assert evaluate(eval_throttle_secs=1000) == 0


def test_the_time_between_evaluations_is_kept_while_training_goes_on(
    run_dir, evaluate, evaluated, answers, monkeypatch
):
    now, slept = [0.0], []
    monkeypatch.setattr(evaluator.time, 'monotonic', lambda: now[0])

    def sleep(seconds):
        slept.append(seconds)
        now[0] += 100

    def at_the_end():
        note_ended(str(run_dir), TOTAL, 'trained')
        return RUNNING

    monkeypatch.setattr(evaluator.time, 'sleep', sleep)
    answers(at_the_end)
    assert evaluate(eval_throttle_secs=1000) == 0
    assert len(slept) == 10 + 1


def no_file(source, folder, name):
    raise FileNotFoundError(source)


def no_remote_file(source, folder, name):
    raise tf.errors.NotFoundError(None, None, source)


def half(source, folder, name):
    shutil.copy(f'{source}.data-00000-of-00001', folder)


def damaged(source, folder, name):
    half(source, folder, name)
    with open(f'{folder}/{name}.index', 'wb'):
        pass


@pytest.mark.parametrize('gone', [no_file, no_remote_file, half, damaged])
def test_a_checkpoint_that_is_removed_while_it_is_copied_is_passed_over(
    run_dir, evaluate, evaluated, monkeypatch, gone
):
    """The chief keeps the newest few; by then there is a newer one."""
    copy, copied = evaluator.copy_checkpoint, []

    def vanish_first(source, folder, name):
        copied.append(name)
        (copy if copied[1:] else gone)(source, folder, name)

    monkeypatch.setattr(evaluator, 'copy_checkpoint', vanish_first)
    note_ended(str(run_dir), TOTAL, 'trained')
    assert evaluate() == 0
    assert copied == ['model.ckpt-8'] * 2
    assert [each[0] for each in evaluated[:-1]] == ['model.ckpt-8']
    assert evaluated[-1] == 'finished'


def test_it_evaluates_a_copy_which_the_chief_cannot_remove(run_dir, evaluate, monkeypatch):
    seen = []

    def evaluate_one(evaluations, checkpoint):
        seen.append(checkpoint)

    monkeypatch.setattr(evaluator.Evaluations, 'evaluate', evaluate_one)
    monkeypatch.setattr(evaluator.Evaluations, 'has', lambda evaluations, step: False)
    note_ended(str(run_dir), TOTAL, 'trained')
    assert evaluate() == 0
    assert len(seen) == 1
    assert os.path.dirname(seen[0]) != str(run_dir)
    assert not os.path.exists(f'{seen[0]}.index')  # any more


def test_the_best_are_kept_for_the_run_that_the_chief_has_started_meanwhile(
    run_dir, evaluate, evaluated, monkeypatch
):
    newest, saved = evaluator.newest_checkpoint, run_dir / 'hparams.yaml'
    before = run_id(run_dir)

    def start_anew(folder):
        saved.write_text(saved.read_text().replace(before, "'another'"))
        return newest(folder)

    monkeypatch.setattr(evaluator, 'newest_checkpoint', start_anew)
    note_ended(str(run_dir), TOTAL, 'trained')
    assert evaluate() == 0
    assert evaluated == [('model.ckpt-8', 'another'), 'finished']


def test_a_run_whose_values_are_gone_is_one_line(run_dir, evaluate, evaluated, monkeypatch):
    newest = evaluator.newest_checkpoint

    def empty(folder):
        (run_dir / 'hparams.yaml').unlink()
        return newest(folder)

    monkeypatch.setattr(evaluator, 'newest_checkpoint', empty)
    with pytest.raises(MismatchError) as error:
        evaluate()
    assert str(error.value) == f'{run_dir}: there are checkpoints, and no hparams.yaml'


def test_a_second_evaluator_is_refused(run_dir, evaluate, tmp_path):
    best = str(tmp_path / 'best')
    refused = f'^{re.escape(best)}: another run .process {os.getpid()}. uses this folder'
    with only_trainer(best), pytest.raises(ResourceError, match=refused):
        evaluate()


def test_the_chief_may_train_in_the_run_meanwhile(run_dir, evaluate, evaluated):
    note_ended(str(run_dir), TOTAL, 'trained')
    with only_trainer(str(run_dir)):
        assert evaluate() == 0
