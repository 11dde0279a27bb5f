"""Images to predictions: order, batches, memory, and what cannot be read."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.modes.prediction.image_predictions import AHEAD, encoding_options_of, predict_all
from library.records.listing import Unusable

pytestmark = pytest.mark.graph


def image(value, kind='PNG', size=(16, 16)):
    file = io.BytesIO()
    Image.new('RGB', size, (value, value, value)).save(file, kind)
    return file.getvalue()


class BrightnessModel:
    """Tells light from dark; refuses white images as TensorFlow would."""

    def __init__(self, refuses_white=False):
        self.batches = []
        self._refuses_white = refuses_white

    def predict(self, encoded):
        values = [Image.open(io.BytesIO(each)).getpixel((8, 8))[0] for each in encoded]
        self.batches.append(values)
        if self._refuses_white and 255 in values:
            raise tf.errors.InvalidArgumentError(None, None, 'Bad  picture\nof a kind')
        classes = [[b'light', b'dark'] if v > 127 else [b'dark', b'light'] for v in values]
        light = np.float32([max(v, 255 - v) / 255 for v in values])
        return np.array(classes), np.stack([light, 1 - light], 1)


def ask(images, model, **options):
    defaults = {'top_k': 2, 'batch_size': 4, 'threads': 2}
    return predict_all(iter(images), model, encoding_options_of(32, 80), **{**defaults, **options})


def test_predictions_keep_the_order_and_come_in_batches():
    images = [(f'{n}.png', image(n * 25)) for n in range(10)]
    batches = list(ask(images, BrightnessModel()))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    predictions = [prediction for batch in batches for prediction in batch]
    assert [prediction.file for prediction in predictions] == [f'{n}.png' for n in range(10)]
    assert [prediction.classes[0][0] for prediction in predictions] == ['dark'] * 6 + ['light'] * 4
    assert predictions[0].classes[0][1] == 1.0


def test_an_image_that_takes_too_much_memory_is_a_line_that_names_the_option():
    encoding = encoding_options_of(32, 80, max_pixels=500)
    images = [('small.png', image(9, size=(20, 20))), ('large.png', image(9, size=(40, 20)))]
    (batch,) = predict_all(
        iter(images), BrightnessModel(), encoding, top_k=1, batch_size=2, threads=1
    )
    assert [each.error for each in batch] == ['', '40x20 is more than --max_pixels 500']


@pytest.mark.parametrize(('batch_size', 'ahead'), [(4, AHEAD * 2), (AHEAD * 2 + 3, AHEAD * 2 + 3)])
def test_no_more_images_are_taken_ahead_than_a_batch_or_some_for_each_thread(batch_size, ahead):
    taken = []

    def images():
        for number in range(1000):
            taken.append(number)
            yield ('x', image(0))

    predictions = ask(images(), BrightnessModel(), batch_size=batch_size)
    for batches in (1, 2):
        next(predictions)
        assert len(taken) == batches * batch_size + ahead
    predictions.close()


def test_bad_images_become_errors_and_the_others_are_predicted():
    images = [
        ('a', b''),
        ('b', image(255)),
        ('c', b'<html>'),
        ('d', Unusable('row 3: no such file')),
        ('e', '/no/such/file.jpg'),
    ]
    (predictions,) = ask(images, BrightnessModel(), batch_size=8)
    assert [prediction.error for prediction in predictions if prediction.file != 'c'] == [
        'empty file',
        '',
        'row 3: no such file',
        'no such file or directory',
    ]
    assert predictions[2].error.startswith('not an image (JPEG, ')
    assert [len(prediction.classes) for prediction in predictions] == [0, 2, 0, 0, 0]


def test_a_batch_of_bad_images_is_not_asked_about():
    model = BrightnessModel()
    (predictions,) = ask([('a', b'')], model)
    assert predictions[0].error == 'empty file'
    assert model.batches == []


def test_what_tensorflow_refuses_is_an_error_of_that_image_alone():
    images = [(str(n), image(value)) for n, value in enumerate((0, 255, 100))]
    (predictions,) = ask(images, BrightnessModel(refuses_white=True))
    assert [prediction.error for prediction in predictions] == [
        '',
        'refused by TensorFlow (Bad picture of a kind)',
        '',
    ]


def test_probabilities_that_are_no_numbers_are_an_error():
    class BrokenModel:
        def predict(self, encoded):
            return np.array([[b'a', b'b']]), np.float32([[np.nan, 0.5]])

    (predictions,) = ask([('a', image(0))], BrokenModel())
    assert predictions[0].error == 'the model gives no finite numbers'


def test_top_k_limits_the_classes():
    (predictions,) = ask([('a', image(0))], BrightnessModel(), top_k=1)
    assert [name for name, _ in predictions[0].classes] == ['dark']


@pytest.mark.parametrize('kind', ['PPM', 'PCX', 'SGI', 'JPEG2000'])
def test_more_formats_are_read_than_a_conversion_takes(kind):
    (predictions,) = ask([('a', image(0, kind))], BrightnessModel())
    assert predictions[0].error == ''


def test_images_are_shrunk_as_a_conversion_does():
    class SizeModel(BrightnessModel):
        def predict(self, encoded):
            self.batches.append([Image.open(io.BytesIO(each)).size for each in encoded])
            return super().predict(encoded)

    model = SizeModel()
    list(ask([('a', image(0, size=(100, 50)))], model))
    assert model.batches[0] == [(32, 16)]


def test_a_remote_file_that_cannot_be_read_is_an_error(monkeypatch):
    def fail(path):
        raise tf.errors.PermissionDeniedError(None, None, 'Forbidden by the bucket')

    monkeypatch.setattr('library.files.read_bytes', fail)
    (predictions,) = ask([('a', 'gs://bucket/a.jpg')], BrightnessModel())
    assert predictions[0].error == 'Forbidden by the bucket'
