"""Whether a run works on features, by its options and data."""

from __future__ import annotations

import pytest

from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.modes.feature_cache.decision import uses_features
from library.records.listing import Listing
from library.records.manifest import Manifest, Shard
from project.options import CATALOG
from tests.checks_of_a_run import check

pytestmark = pytest.mark.unit

IMAGES = Manifest(('a', 'b'), {'a': 12, 'b': 12}, (Shard('s', 24, 1, ''),))
UNCONVERTED = Listing(('a', 'b'), ())


def hparams_of(*words, digest='abc', mode='train'):
    hparams = resolve(CATALOG, parse([mode, *words], CATALOG, ['train', 'evaluate']))
    return hparams.with_values('the test', features_digest=digest)


def decide(*words, digest='abc', splits=(IMAGES, IMAGES), training=True):
    mode = 'train' if training else 'evaluate'
    hparams = hparams_of(*words, digest=digest, mode=mode)
    check(hparams, mode)
    return uses_features(hparams, splits, training)


PLAIN = '--no_augmentation'


@pytest.mark.parametrize(
    ('words', 'on'),
    [
        ([], False),
        ([PLAIN], True),
        ([PLAIN, '--no_cache_features'], False),
        ([PLAIN, '--debug'], True),
        (['--cache_features'], True),
        ([PLAIN, '--cache_features'], True),
        (['--feature_copies', '2'], True),
        (['--feature_copies', '2', '--cache_features'], True),
        # 24 images in batches of 32: one step is one pass.
        ([PLAIN, '--train_steps', '1'], True),
        # In batches of 6 one pass is 4 steps.
        ([PLAIN, '--train_batch_size', '6', '--train_steps', '3'], False),
        ([PLAIN, '--train_batch_size', '6', '--train_steps', '4'], True),
        ([PLAIN, '--train_batch_size', '6', '--train_steps', '3', '--cache_features'], True),
    ],
)
def test_features_are_used_where_they_were_asked_for_or_are_the_same_and_cheaper(words, on):
    assert decide(*words) is on


def test_unasked_a_model_without_features_works_on_images():
    assert decide(PLAIN, digest=None) is False


@pytest.mark.parametrize('splits', [(UNCONVERTED, IMAGES), (IMAGES, UNCONVERTED)])
def test_unasked_what_was_not_converted_is_read_as_images(splits):
    assert decide(PLAIN, splits=splits) is False


def test_an_evaluation_reads_images_unless_it_is_asked():
    assert decide(PLAIN, splits=(IMAGES,), training=False) is False
    assert decide('--cache_features', splits=(IMAGES,), training=False) is True


def test_copies_are_of_training_images_alone():
    assert decide('--feature_copies', '2', splits=(IMAGES,), training=False) is False


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--cache_features', '--fine_tuning'], '--cache_features: with --fine_tuning'),
        (['--feature_copies', '2', '--fine_tuning'], '--feature_copies: with --fine_tuning'),
        (['--cache_features', '--use_synthetic_data'], 'not --use_synthetic_data'),
        (['--feature_copies', '2', PLAIN], 'but augmentation is off'),
        (['--feature_copies', '2', '--no_cache_features'], 'give one of them'),
    ],
)
def test_a_contradiction_is_told_from_the_options_alone(words, message):
    with pytest.raises(ConfigError, match=message) as error:
        check(hparams_of(*words), 'train')
    assert error.value.exit_code == 2


def test_features_of_a_model_that_has_none_are_refused():
    with pytest.raises(ConfigError, match='the model hub has no features that stay') as error:
        decide('--cache_features', digest=None)
    assert error.value.exit_code == 2


def test_features_of_images_that_were_not_converted_are_refused():
    with pytest.raises(ConfigError, match=r'--feature_copies: needs converted images'):
        decide('--feature_copies', '2', splits=(UNCONVERTED, IMAGES))


@pytest.mark.process
def test_the_whole_decision_needs_no_tensorflow(program):
    code = (
        'import sys, run\n'
        'try: run.main(["--cache_features", "--fine_tuning"])\n'
        'except Exception as error: print(error.exit_code, "tensorflow" in sys.modules)\n'
    )
    assert program('-c', code).stdout == '2 False\n'
