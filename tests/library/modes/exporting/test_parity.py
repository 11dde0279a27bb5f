"""What may differ between an export and its checkpoint, and what ends an export."""

from __future__ import annotations

import numpy as np
import pytest

from library.errors import MismatchError
from library.modes.exporting.parity import (
    Parity,
    compare_predictions,
    in_label_order,
    log_parities,
    require_parity,
)
from library.modes.exporting.parity_check import ParityCheck, spread

pytestmark = pytest.mark.graph

NAMES = [b'cat', b'dog']


def parity_check(probabilities):
    images = np.zeros([len(probabilities), 2, 2, 3], np.float32)
    return ParityCheck([], images, np.array(probabilities, np.float32), None, NAMES)


def parity(name='images', largest=0.0, agreement=1.0):
    return Parity(name, largest, agreement, 1.0, 1)


def test_predictions_are_compared_by_class_and_not_by_place():
    reference = parity_check([[0.2, 0.8], [0.6, 0.4]])

    def ask(batch):
        classes = np.array([[b'dog', b'cat'], [b'dog', b'cat']], object)
        return classes, np.array([[0.8, 0.2], [0.55, 0.45]], np.float32)

    found = compare_predictions('images', reference, ask, [reference.images], 5)
    assert found.largest == pytest.approx(0.15)
    assert found.agreement == 0.5
    assert found.size == 5


def test_a_class_that_the_export_does_not_know_lets_nothing_pass():
    rows = in_label_order([np.array([[b'dog', b'cow']], object)], [np.array([[0.5, 0.5]])], NAMES)
    assert np.isnan(rows[0, 0])
    assert rows[0, 1] == 0.5


def test_float_exports_must_give_the_same_probabilities():
    require_parity([parity(largest=1e-4), parity('tflite', 2e-6)], {})
    for wrong in (1.1e-4, np.inf, np.nan):
        with pytest.raises(MismatchError, match='tflite: differs from the checkpoint by'):
            require_parity([parity(), parity('tflite', wrong)], {'tflite_int8': 0.95})


def test_quantized_exports_must_give_the_same_class_often_enough():
    require_parity([parity('tflite_int8', 0.4, 0.95)], {'tflite_int8': 0.95})
    with pytest.raises(MismatchError) as error:
        require_parity([parity('tflite_int8', 0.0, 0.9375)], {'tflite_int8': 0.95})
    assert str(error.value) == (
        'tflite_int8: gives the class of the checkpoint for 0.9375 of the images, less than '
        '--min_agreement 0.95; nothing was exported'
    )


def test_the_table_has_a_line_for_each_format(capsys):
    module = Parity('hub_module', 0.0, None, 12.3, 2_500_000)
    log_parities([Parity('images', 3.21e-7, 0.984375, 412.0, 14_300_000), module], 64)
    assert capsys.readouterr().out.splitlines() == [
        'on 64 images      largest difference  same class  size      images/s',
        'images            3.2e-07             0.9844      14.3 MB   412',
        'hub_module        0.0e+00             -           2.5 MB    12',
    ]


def test_images_are_taken_from_all_over_a_split():
    assert spread(5, 64) == [0, 1, 2, 3, 4]
    assert spread(64, 64) == list(range(64))
    assert spread(100, 3) == [0, 33, 66]
    assert spread(80, 16) == [place + n for place in range(0, 80, 10) for n in (0, 1)]


@pytest.mark.parametrize('examples', [65, 67, 100, 1001])
def test_as_many_images_are_taken_as_asked_for(examples):
    for count in (1, 7, 20, 64):
        numbers = spread(examples, count)
        assert len(set(numbers)) == count
        assert max(numbers) < examples
