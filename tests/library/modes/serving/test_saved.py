"""SavedModels that this project did or did not write, to predictions or to one clear line."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.errors import ConfigError, MismatchError
from library.modes.serving.saved import SavedModelGraph, metadata_of_export, newest_version

pytestmark = pytest.mark.graph


def image(value):
    file = io.BytesIO()
    Image.new('RGB', (8, 8), (value, value, value)).save(file, 'JPEG')
    return file.getvalue()


def save(folder, names=('image_bytes', 'classes', 'probabilities'), dtype=tf.string):
    """A model that tells light from dark, with one variable."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        fed = tf.compat.v1.placeholder(dtype, [None])
        scale = tf.compat.v1.get_variable('scale', initializer=255.0)
        if dtype == tf.string:
            pixels = tf.map_fn(
                lambda jpeg: tf.reduce_mean(tf.cast(tf.io.decode_jpeg(jpeg), tf.float32)),
                fed,
                fn_output_signature=tf.float32,
            )
        else:
            pixels = fed
        light = pixels / scale
        probabilities, order = tf.math.top_k(tf.stack([1 - light, light], 1), 2)
        classes = tf.gather(tf.constant(['dark', 'light']), order)
        session.run(tf.compat.v1.global_variables_initializer())
        tensors = dict(zip(names, (fed, classes, probabilities), strict=True))
        inputs = {names[0]: tensors.pop(names[0])}
        signature = tf.compat.v1.saved_model.predict_signature_def(inputs, tensors)
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ['serve'], {'serving_default': signature})
        builder.save()
    return folder


@pytest.mark.parametrize('below', ['.', '1700000000'])
def test_a_version_or_the_folder_of_versions_can_be_asked(tmp_path, below):
    save(tmp_path / below if below != '.' else tmp_path / 'model')
    folder = tmp_path if below != '.' else tmp_path / 'model'
    with SavedModelGraph(str(folder)) as model:
        classes, probabilities = model.predict([image(255), image(51)])
    assert classes.tolist() == [[b'light', b'dark'], [b'dark', b'light']]
    np.testing.assert_allclose(probabilities, [[1, 0], [0.8, 0.2]], atol=0.01)
    assert probabilities.dtype == np.float32


def test_the_newest_version_is_the_highest_number_that_holds_a_model(tmp_path):
    for name in ('9', '10', '11', 'x12'):
        (tmp_path / name).mkdir()
    for name in ('9', '10', 'x12'):
        (tmp_path / name / 'saved_model.pb').write_bytes(b'')
    assert newest_version(str(tmp_path)) == str(tmp_path / '10')


def test_a_folder_without_a_model_is_reported(tmp_path):
    with pytest.raises(ConfigError, match=r'no SavedModel there \(--saved_model\)'):
        newest_version(str(tmp_path))
    with pytest.raises(ConfigError, match=r'no: no such folder \(--saved_model\)'):
        newest_version(str(tmp_path / 'no'))


@pytest.mark.parametrize(
    ('names', 'dtype'),
    [
        (('images', 'classes', 'probabilities'), tf.string),
        (('image_bytes', 'classes', 'scores'), tf.string),
        (('image_bytes', 'classes', 'probabilities'), tf.float32),
    ],
)
def test_other_signatures_are_refused(tmp_path, names, dtype):
    save(tmp_path / 'model', names, dtype)
    with pytest.raises(MismatchError, match='no signature serving_default from image_bytes to cl'):
        SavedModelGraph(str(tmp_path / 'model'))


def test_damage_is_reported_in_one_line(tmp_path):
    save(tmp_path / 'model')
    (tmp_path / 'model' / 'variables' / 'variables.index').unlink()
    with pytest.raises(MismatchError, match='model: cannot be loaded') as caught:
        SavedModelGraph(str(tmp_path / 'model'))
    assert '\n' not in str(caught.value)
    (tmp_path / 'model' / 'saved_model.pb').write_bytes(b'\xff\xff')
    with pytest.raises(MismatchError, match='model: cannot be loaded'):
        SavedModelGraph(str(tmp_path / 'model'))


def test_facts_are_read_from_the_assets(tmp_path):
    (tmp_path / 'assets').mkdir()
    saved = 'class_names: [a, b]\nstored_max_edge: 48\nstored_quality: null\n'
    (tmp_path / 'assets' / 'hparams.yaml').write_text(saved)
    run = metadata_of_export(str(tmp_path))
    assert run.class_names == ('a', 'b')
    assert (run.stored_max_edge, run.stored_quality) == (48, None)


def test_a_model_without_facts_is_refused(tmp_path):
    with pytest.raises(MismatchError, match=r'assets/hparams.yaml: does not name the classes'):
        metadata_of_export(str(tmp_path))
