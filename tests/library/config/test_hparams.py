"""Defaults, sets, a saved run and the command line become one object that does not change."""

import copy
import pickle
from functools import partial

import pytest

from library.config.command_line import parse
from library.config.hparams import read_options, resolve
from library.config.yaml_sets import Written
from library.errors import ConfigError
from tests.library.config.trees import CATALOG, Fir, resolve_words


@pytest.fixture
def resolved(tmp_path):
    return partial(resolve_words, tmp_path)


@pytest.fixture
def refusal(resolved):
    def call(*words, **texts):
        with pytest.raises(ConfigError) as caught:
            resolved(*words, **texts)
        return str(caught.value)

    return call


def test_where_nothing_is_written_the_default_counts(resolved):
    hparams = resolved()
    assert hparams.years == 10
    assert hparams.origin('years') == 'default'


def test_a_set_wins_over_the_default(resolved, tmp_path):
    hparams = resolved(project='default:\n  years: 5\n')
    assert hparams.years == 5
    assert hparams.origin('years') == f'{tmp_path}/project.yaml:2'


def test_the_command_line_wins_over_the_set(resolved):
    hparams = resolved('--years', '7', project='default:\n  years: 5\n')
    assert hparams.years == 7
    assert hparams.origin('years') == 'command line'


def test_a_value_is_named_by_the_place_where_a_person_changes_it(resolved, tmp_path):
    hparams = resolved('--rate', '0.5', project='default:\n  years: 5\n')
    assert hparams.place('years') == f"{tmp_path}/project.yaml:2: key 'years'"
    assert hparams.place('rate') == '--rate'
    assert resolved().place('years') == '--years'
    assert hparams.with_values('data: 3', years=4).place('years') == '--years'


def test_the_chosen_sets_are_read(resolved):
    hparams = resolved(
        '--config_set',
        'desk',
        '--hyperparameter_set=fast',
        project='default: {years: 1}\ndesk: {years: 2}\n',
        hyper='default: {rate: 0.1}\nfast: {rate: 0.9}\n',
    )
    assert (hparams.years, hparams.rate) == (2, 0.9)


def test_a_project_set_names_file_and_set_of_the_hyper_parameters(tmp_path):
    project, other = tmp_path / 'project.yaml', tmp_path / 'other.yaml'
    other.write_text('slow: {rate: 0.01}\n')
    project.write_text(f'default: {{hyperparameter_file: {other}, hyperparameter_set: slow}}\n')
    hparams = resolve(CATALOG, parse(['--config_file', str(project)], CATALOG, ['train']))
    assert hparams.rate == 0.01


@pytest.mark.parametrize(
    ('text', 'value'), [('1e-3', 0.001), ('5e-1', 0.5), ('.5', 0.5), ('0.25', 0.25)]
)
def test_every_way_to_write_a_number_is_a_number(resolved, text, value):
    assert resolved(hyper=f'default:\n  rate: {text}\n').rate == value
    assert resolved('--rate', text).rate == value


@pytest.mark.parametrize('text', ['no', 'on', '010', '1:30', '2024-01-01', '1e3'])
def test_a_text_stays_the_text_that_was_written(resolved, text):
    assert resolved(project=f'default:\n  folder: {text}\n').folder == text
    assert resolved('--folder', text).folder == text


@pytest.mark.parametrize('text', ['no', 'off', 'False', '0'])
def test_a_switch_reads_what_yaml_writers_write(resolved, text):
    assert resolved(project=f'default: {{watered: {text}}}\n').watered is False


def test_negative_numbers_are_read_from_the_command_line(resolved):
    assert resolved('--offset', '-3').offset == -3


def test_an_alias_becomes_the_choice_that_it_stands_for(resolved):
    hparams = resolved('--model', 'latest')
    assert hparams.model == 'oak'
    assert 'acorns' in hparams
    assert 'needles' not in hparams


def test_a_key_of_another_model_is_legal_in_a_set_and_unused(resolved, tmp_path):
    hparams = resolved('--model', 'oak', hyper='default:\n  needles: 5\n')
    assert 'needles' not in hparams
    assert hparams.unused == {'needles': f'{tmp_path}/hyperparameters.yaml:2'}


def test_a_key_of_another_mode_is_legal_in_a_set_and_unused(resolved):
    project = 'default: {title: Trees}\n'
    assert list(resolved('train', project=project).unused) == ['title']
    assert resolved('evaluate', project=project).title == 'Trees'


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (
            ('--model', 'oak', '--needles', '5'),
            '--needles is not used by this run: it is an option of --model fir',
        ),
        (
            ('train', '--title', 'T'),
            '--title is not used by this run: it is an option of the mode evaluate',
        ),
    ],
)
def test_a_flag_that_this_run_does_not_use_names_its_owner(refusal, words, message):
    assert refusal(*words) == message


@pytest.mark.parametrize(
    ('project', 'message'),
    [
        ('default:\n  yeers: 3\n', "key 'yeers': unknown; did you mean 'years'?"),
        ('default:\n  years: many\n', "key 'years': 'many' is not a whole number"),
        ('default:\n  years: 0\n', "key 'years': 0 is out of range, expected >= 1"),
        ('default:\n  years: [1, 2]\n', "key 'years': a list was given, expected a whole number"),
        ('default:\n  rate: 0.5\n', "key 'rate' belongs in hyperparameters.yaml"),
        ('default:\n  config_set: x\n', "key 'config_set' can only be given on the command line"),
        ('default:\n  moon: [full]\n', "key 'moon': unknown"),
        ('default:\n  model: [oak]\n', "key 'model': a list was given, expected a text"),
    ],
)
def test_a_wrong_entry_names_file_line_set_and_key(refusal, tmp_path, project, message):
    assert refusal(project=project) == f"{tmp_path}/project.yaml:2: set 'default': {message}"


@pytest.mark.parametrize('text', ['.nan', 'nan', '.inf', 'inf', '-0.1', '0', '1'])
def test_numbers_that_are_not_finite_or_out_of_range_are_refused(refusal, tmp_path, text):
    message = refusal(hyper=f'default:\n  rate: {text}\n')
    assert message.startswith(f"{tmp_path}/hyperparameters.yaml:2: set 'default': key 'rate': ")


def test_a_project_key_does_not_belong_in_the_hyper_parameters(refusal):
    assert refusal(hyper='default: {years: 5}\n').endswith("key 'years' belongs in project.yaml")


def test_sets_that_are_not_chosen_are_checked_too(refusal, tmp_path):
    message = refusal(project='default: {}\nother:\n  years: -1\n')
    assert message.startswith(f"{tmp_path}/project.yaml:3: set 'other': key 'years': -1")


def test_an_inherited_mistake_names_the_line_where_it_stands(refusal, tmp_path):
    message = refusal(project='base: &B\n  years: 0\ndefault:\n  <<: *B\n')
    assert message.startswith(f"{tmp_path}/project.yaml:2: set 'base': key 'years'")


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('--years', '0'), '--years: 0 is out of range, expected >= 1'),
        (('--years', 'x'), "--years: 'x' is not a whole number"),
        (('--xla=maybe',), "--xla: 'maybe' is not true or false"),
        (('--season', 'winter'), "--season: 'winter' is not one of spring, autumn"),
        (('--model', 'oakk'), "--model: no model 'oakk'; did you mean 'oak'?"),
        (('--model', 'palm'), "--model: no model 'palm' (there are fir, oak, latest)"),
    ],
)
def test_a_wrong_value_on_the_command_line_names_its_flag(refusal, words, message):
    assert refusal(*words) == message


def test_an_unknown_model_in_a_set_names_its_line(refusal, tmp_path):
    assert refusal(project='default:\n  model: palm\n') == (
        f"{tmp_path}/project.yaml:2: set 'default': key 'model': no model 'palm' "
        '(there are fir, oak, latest)'
    )


def test_an_unknown_set_brings_the_nearest_one(refusal, tmp_path):
    assert refusal('--config_set', 'defautl') == (
        f"{tmp_path}/project.yaml: no set 'defautl'; did you mean 'default'?"
    )


def test_an_unknown_set_far_from_all_brings_all(refusal, tmp_path):
    message = refusal('--hyperparameter_set', 'zzz', hyper='one: {}\ntwo: {}\n')
    assert message == f"{tmp_path}/hyperparameters.yaml: no set 'zzz' (there are one, two)"


def test_a_missing_file_of_hyper_parameters_is_named(refusal, tmp_path):
    path = f'{tmp_path}/none.yaml'
    assert refusal('--hyperparameter_file', path) == f'{path}: no such file'


def saved(**texts):
    return {name: Written(text, 'run/hparams.yaml:1') for name, text in texts.items()}


def test_what_is_kept_with_a_run_wins_over_the_sets(resolved):
    hparams = resolved('evaluate', hyper='default: {height: 5}\n', saved=saved(height='7'))
    assert hparams.height == 7
    assert hparams.origin('height') == 'run/hparams.yaml:1'


def test_a_run_that_is_older_than_an_option_has_its_default_and_not_what_a_set_says(resolved):
    sets = {'hyper': 'default: {height: 5, rate: 0.9}\n'}
    old = resolved('evaluate', saved=saved(model='oak'), **sets)
    assert (old.height, old.origin('height')) == (None, 'default')
    assert old.rate == 0.9
    assert resolved('evaluate', '--height', '3', saved=saved(model='oak'), **sets).height == 3
    assert resolved('evaluate', **sets).height == 5


def test_the_command_line_wins_over_what_is_kept_with_a_run(resolved):
    assert resolved('evaluate', '--height', '3', saved=saved(height='7')).height == 3


def test_other_saved_values_do_not_count(resolved):
    hparams = resolved('evaluate', saved=saved(years='99', rate='0.9', nobody='x'))
    assert (hparams.years, hparams.rate) == (10, 0.1)


def test_the_saved_model_is_the_model(resolved):
    hparams = resolved('evaluate', project='default: {model: oak}\n', saved=saved(model='fir'))
    assert hparams.model == 'fir'
    assert 'needles' in hparams


def test_a_saved_value_that_is_wrong_names_its_line(refusal):
    assert refusal('evaluate', saved=saved(height='tall')) == (
        "run/hparams.yaml:1: key 'height': 'tall' is not a whole number"
    )


def test_values_and_entries_come_in_the_order_of_declaration(resolved):
    hparams = resolved('--model', 'fir')
    names = list(hparams.values())
    assert names[:4] == ['config_file', 'config_set', 'hyperparameter_file', 'hyperparameter_set']
    assert names[-3:] == ['birds', 'height', 'needles']
    assert list(hparams.entries()) == names


def test_hparams_do_not_change(resolved):
    hparams = resolved()
    with pytest.raises(AttributeError, match='HParams do not change'):
        hparams.years = 3
    hparams.values()['years'] = 3
    hparams.entries().clear()
    assert hparams.years == 10


def test_with_values_gives_others_and_leaves_these(resolved):
    before = resolved()
    after = before.with_values('found out', years=3)
    assert (before.years, after.years) == (10, 3)
    assert after.origin('years') == 'found out'


def test_a_name_that_there_is_not_brings_the_nearest_one(resolved):
    hparams = resolved()
    assert not hasattr(hparams, 'needles')
    with pytest.raises(AttributeError, match="no option 'yeers'; did you mean 'years'"):
        _ = hparams.yeers


def test_hparams_can_be_copied_and_pickled(resolved):
    hparams = resolved('--years', '3')
    for twin in (copy.copy(hparams), copy.deepcopy(hparams), pickle.loads(pickle.dumps(hparams))):
        assert twin.entries() == hparams.entries()
        assert twin.years == 3


def test_take_gives_one_class_of_options(resolved):
    assert resolved('--model', 'fir', '--needles', '3').take(Fir) == Fir(needles=3)


def test_a_program_without_sets_reads_its_options_from_the_command_line():
    assert read_options(Fir, parse(['--needles', '3'], CATALOG), CATALOG) == Fir(needles=3)


def test_a_program_without_sets_names_the_flag_of_a_wrong_value():
    with pytest.raises(ConfigError, match='--needles: -1 is out of range, expected >= 0'):
        read_options(Fir, parse(['--needles', '-1'], CATALOG), CATALOG)
