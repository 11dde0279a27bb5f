"""Metrics of predictions, held against scikit-learn and against sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    precision_score,
    recall_score,
    roc_auc_score,
    top_k_accuracy_score,
)

from library.modes.evaluation.metrics import (
    BINS,
    added_metrics,
    areas_under_curves,
    calibration,
    calibration_error,
    class_scores,
    top_k_accuracy,
)
from tests.library.modes.evaluation.drawn_predictions import drawn, written

pytestmark = pytest.mark.graph


def added(predictions, top_k=5):
    return added_metrics(predictions, class_scores(predictions), calibration(predictions), top_k)


@pytest.mark.parametrize(('classes', 'images'), [(2, 50), (3, 40), (40, 900), (70, 5000)])
def test_areas_are_those_of_scikit_learn_with_equal_probabilities_too(classes, images):
    predictions = drawn(classes, images)
    expected = [
        roc_auc_score(predictions.labels == label, predictions.probabilities[:, label])
        for label in range(classes)
    ]
    assert len(np.unique(predictions.probabilities[:, 0])) < images
    np.testing.assert_allclose(areas_under_curves(predictions), expected, rtol=1e-12)
    assert added(predictions)['auc'] == pytest.approx(np.mean(expected), rel=1e-12)


def test_one_class_without_images_has_no_area_and_does_not_spoil_the_mean():
    predictions = written([0, 0, 1], [[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.8, 0.1]])
    assert np.isnan(areas_under_curves(predictions)).tolist() == [False, False, True]
    assert added(predictions)['auc'] == 1.0
    assert class_scores(predictions)[2].auc is None


@pytest.mark.parametrize('k', [1, 2, 5, 9])
def test_the_top_are_those_of_scikit_learn(k):
    predictions = drawn(12, 5000)
    unequal = predictions.probabilities + np.random.default_rng(1).uniform(0, 1e-4, (5000, 12))
    predictions = written(predictions.labels, unequal, predictions.class_names)
    expected = top_k_accuracy_score(predictions.labels, predictions.probabilities, k=k)
    assert top_k_accuracy(predictions, k) == pytest.approx(expected, rel=1e-12)


def test_of_equal_probabilities_the_first_class_is_the_prediction():
    predictions = written([0, 1, 2], [[0.4, 0.4, 0.2]] * 3)
    assert top_k_accuracy(predictions, 1) == np.mean(predictions.predicted == predictions.labels)
    assert top_k_accuracy(predictions, 2) == pytest.approx(2 / 3)


@pytest.mark.parametrize(('top_k', 'name'), [(1, 'top_1_accuracy'), (3, 'top_3_accuracy')])
def test_the_top_is_named_after_how_many_count(top_k, name):
    assert next(iter(added(drawn(4, 20), top_k))) == name


@pytest.mark.parametrize('top_k', [4, 5, 1000])
def test_a_top_of_all_classes_says_nothing_and_is_left_out(top_k):
    assert [name for name in added(drawn(4, 20), top_k) if name.startswith('top')] == []


def test_scores_of_classes_are_counted_by_hand():
    # a: 2 images, 1 right; b: 1 image, right, and an a beside it; c: 1 image, never a prediction.
    rows = [[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 1, 0], [1, 0, 0]]
    a, b, c = class_scores(written([0, 0, 1, 2], rows))
    assert (a.name, a.support, a.precision, a.recall, a.f1) == ('a', 2, 0.5, 0.5, 0.5)
    assert (b.support, b.precision, b.recall) == (1, 0.5, 1.0)
    assert b.f1 == pytest.approx(2 / 3)
    assert (c.support, c.precision, c.recall, c.f1) == (1, None, 0.0, 0.0)


def test_a_class_without_images_is_defined_only_as_far_as_it_was_predicted():
    predictions = written([0, 0], [[0, 1, 0], [1, 0, 0]])
    _, b, c = class_scores(predictions)
    assert (b.support, b.precision, b.recall, b.f1) == (0, 0.0, None, 0.0)
    assert (c.support, c.precision, c.recall, c.f1) == (0, None, None, None)
    # Means are over classes with images: a alone.
    metrics = added(predictions)
    assert (metrics['macro_precision'], metrics['macro_recall']) == (1.0, 0.5)


def test_means_over_classes_count_a_class_that_is_never_predicted_as_nothing_right():
    predictions = drawn(9, 60, skill=0.5)
    names = {'average': 'macro', 'zero_division': 0, 'labels': np.unique(predictions.labels)}
    metrics = added(predictions)
    pair = predictions.labels, predictions.predicted
    assert metrics['macro_precision'] == pytest.approx(precision_score(*pair, **names))
    assert metrics['macro_recall'] == pytest.approx(recall_score(*pair, **names))


def test_bins_hold_each_image_once_and_the_last_one_certainty_too():
    rows = [[0.5, 0.5], [0.52, 0.48], [1.0, 0.0], [0.02, 0.98]]
    bins = calibration(written([0, 1, 0, 1], rows))
    assert len(bins) == BINS
    assert [each.low for each in bins[1:]] == [each.high for each in bins[:-1]]
    assert (bins[0].low, bins[-1].high) == (0.0, 1.0)
    filled = {number: each.images for number, each in enumerate(bins) if each.images}
    assert filled == {7: 2, 14: 2}
    assert bins[7].accuracy == 0.5
    assert bins[7].confidence == pytest.approx(0.51)
    assert (bins[0].accuracy, bins[0].confidence) == (None, None)


def test_the_calibration_error_is_the_mean_gap():
    rows = [[0.5, 0.5], [0.52, 0.48], [1.0, 0.0], [0.02, 0.98]]
    predictions = written([0, 1, 0, 1], rows)
    expected = 0.5 * abs(0.51 - 0.5) + 0.5 * abs(0.99 - 1.0)
    assert calibration_error(predictions, calibration(predictions)) == pytest.approx(
        expected, rel=1e-6
    )


def test_one_class_only_is_no_failure():
    metrics = added(written([0, 0], [[1.0], [1.0]]))
    assert metrics['auc'] is None
    assert metrics['macro_f1'] == 1.0
    assert metrics['calibration_error'] == 0.0


def test_what_is_not_finite_makes_no_metric_that_looks_like_one():
    rows = [[np.nan, np.nan, np.nan], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]]
    metrics = added(written([0, 1, 0], rows), top_k=2)
    assert metrics['auc'] is None
    assert metrics['calibration_error'] is None
    assert metrics['top_2_accuracy'] == pytest.approx(2 / 3)
