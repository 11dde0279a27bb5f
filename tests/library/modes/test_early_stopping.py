"""When a run ends before its length: good enough, or no better for too long."""

from __future__ import annotations

import json

import pytest

from library.exporters.options import BestOptions
from library.modes.early_stopping import (
    EarlyStopping,
    metrics_asked,
    reason_to_stop,
    with_directions,
)
from library.modes.options import LoopOptions

pytestmark = pytest.mark.graph


def history(values, metric='average_loss'):
    return [{'global_step': 10 * (n + 1), metric: value} for n, value in enumerate(values)]


def keep(folder, values):
    """Writes the evaluations that a run, or another process, keeps."""
    (folder / 'eval').mkdir(exist_ok=True)
    lines = [json.dumps(each) for each in history(values)]
    (folder / 'eval' / 'history.jsonl').write_text('\n'.join(lines))


def after(values, metric='average_loss', **options):
    return reason_to_stop(history(values, metric), LoopOptions(**options))


def test_without_rules_a_run_goes_on():
    assert after([3, 2, 9, 9, 9, 9]) is None


def test_no_gain_for_as_long_as_patience_lasts_ends_the_run():
    assert after([3, 2, 2.5], early_stopping_patience=2) is None
    assert after([3, 2, 2.5, 2.1], early_stopping_patience=2) == (
        'step 40: average_loss has not improved since 2.0000 at step 20'
    )


def test_a_gain_starts_the_waiting_anew():
    assert after([3, 2, 2.5, 1.9, 2.5], early_stopping_patience=2) is None


def test_a_gain_of_less_than_min_delta_is_none():
    options = {'early_stopping_patience': 2, 'early_stopping_min_delta': 0.5}
    assert after([3, 2.6, 2.4], **options) is None  # 2.4 is 0.6 below 3
    assert after([3, 2.6, 2.5], **options) == (
        'step 30: average_loss has not improved since 3.0000 at step 10'
    )


def test_more_is_better_for_an_accuracy():
    options = {'early_stopping_patience': 2, 'early_stopping_metric': 'accuracy'}
    assert after([0.5, 0.6, 0.7], 'accuracy', **options) is None
    assert after([0.5, 0.4, 0.5], 'accuracy', **options) == (
        'step 30: accuracy has not improved since 0.5000 at step 10'
    )


def test_what_is_not_finite_is_no_gain():
    assert after([None, None], early_stopping_patience=2) == (
        'step 20: average_loss has not improved since the start'
    )


def test_a_threshold_that_is_reached_ends_the_run():
    assert after([0.5, 0.89], 'accuracy', stop_threshold=0.9) is None
    assert after([0.5, 0.9, 0.8], 'accuracy', stop_threshold=0.9) == (
        'step 20: accuracy 0.9000 reaches 0.9'
    )


def test_a_threshold_of_a_loss_is_reached_from_above():
    options = {'stop_threshold': 0.2, 'stop_metric': 'average_loss'}
    assert after([0.9, 0.3], **options) is None
    assert after([0.9, 0.2], **options) == 'step 20: average_loss 0.2000 reaches 0.2'


def test_the_direction_of_a_metric_can_be_given():
    options = {'early_stopping_patience': 2, 'early_stopping_metric': 'brier'}
    falling = [0.5, 0.4, 0.3]
    assert after(falling, 'brier', **options) is not None  # by its name more is better
    assert after(falling, 'brier', **options, early_stopping_metric_mode='min') is None
    options = {'stop_threshold': 0.45, 'stop_metric': 'brier', 'stop_metric_mode': 'min'}
    assert after(falling, 'brier', **options) == 'step 20: brier 0.4000 reaches 0.45'


def test_what_decides_on_the_best_has_one_direction():
    best = BestOptions(best_metric='brier', best_metric_mode='min')
    rules = with_directions(LoopOptions(stop_metric='brier', early_stopping_metric='auc'), best)
    assert (rules.stop_metric_mode, rules.early_stopping_metric_mode) == ('min', 'auto')
    rules = with_directions(LoopOptions(stop_metric='brier', stop_metric_mode='max'), best)
    assert rules.stop_metric_mode == 'max'


def test_only_the_metrics_of_rules_in_force_are_asked_for():
    assert list(metrics_asked(LoopOptions(stop_metric='a', early_stopping_metric='b'))) == []
    options = LoopOptions(
        stop_metric='a', stop_threshold=0, early_stopping_metric='b', early_stopping_patience=1
    )
    assert list(metrics_asked(options)) == [
        ('a', '--stop_metric'),
        ('b', '--early_stopping_metric'),
    ]


@pytest.mark.parametrize(('patience', 'stops'), [(2, True), (3, False)])
def test_a_run_that_is_started_again_is_judged_by_what_it_kept(tmp_path, patience, stops):
    keep(tmp_path, [1, 2, 3])
    rules = EarlyStopping(str(tmp_path), LoopOptions(early_stopping_patience=patience))
    assert rules.is_reached == (rules.reason is not None) == stops
