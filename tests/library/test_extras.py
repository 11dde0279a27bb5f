"""Extras that are there, and extras that somebody deleted."""

from __future__ import annotations

import pytest

from library.config.command_line import parse
from library.config.fields import PROJECT, Options, options_of
from library.config.fields import option as declare
from library.config.hparams import resolve
from library.errors import ConfigError
from library.extras import FLAGS, Extra, Extras, find_extras
from project.options import CATALOG, for_formats

# Two extras may offer formats, and either brings the options of all formats.
OF_FORMATS = {'export_formats', 'min_agreement'}
MODES = ('train', 'evaluate')


def names_of(extra: Extra) -> set[str]:
    """Every flag, mode and choice that an extra adds to the programs."""
    classes = (*extra.options, *extra.convert_options)
    mappings = (extra.modes, extra.sources, extra.runners, extra.export_formats)
    return {each.name for cls in classes for each in options_of(cls)}.union(*mappings)


@pytest.mark.parametrize('extra', find_extras().all, ids=lambda extra: extra.name)
def test_the_table_of_flags_names_what_an_extra_adds(extra):
    assert names_of(extra) == set(FLAGS.get(extra.name, ())) - OF_FORMATS


def gone(extra, kind):
    return f'{kind} of extras/{extra}, which this clone does not have'


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['evaluate', '--report'], '--report: is an option'),
        (['evaluate', '--no_report'], '--no_report: is an option'),
        (['evaluate', '--sort_by', 'auc'], '--sort_by: is an option'),
        (['compare', 'out'], 'compare: is a mode'),
    ],
)
def test_what_a_deleted_extra_had_is_refused_by_its_name(words, message):
    with pytest.raises(ConfigError) as error:
        parse(words, CATALOG, MODES)
    assert str(error.value).startswith(message)
    assert str(error.value).endswith(gone('report_and_compare', ''))
    assert error.value.exit_code == 2


def test_an_option_of_a_deleted_extra_in_a_set_is_told_with_its_place(write):
    path = write('default:\n  report: false\n')
    with pytest.raises(ConfigError) as error:
        resolve(CATALOG, parse(['--config_file', str(path)], CATALOG, MODES))
    place = f"{path}:2: set 'default': key 'report': is"
    assert str(error.value) == f'{place} {gone("report_and_compare", "an option")}'


def test_formats_need_an_extra():
    with pytest.raises(
        ConfigError, match='--export_formats: is an option of extras/tflite_and_hub'
    ):
        parse(['export', '--export_formats', 'tflite'], CATALOG, (*MODES, 'export'))


def test_a_format_of_a_deleted_extra_is_refused_by_its_name_beside_those_of_others():
    formats = {'other': 'module:OTHER'}
    catalog = CATALOG.extended(for_formats(formats), {'export_formats': formats})
    assert catalog.by_name['export_formats'].read('other') == ('other',)
    with pytest.raises(ValueError, match="'tflite' is of extras/tflite_and_hub_export, which"):
        catalog.by_name['export_formats'].read('tflite')
    with pytest.raises(ValueError, match="'tfl' is not one of other"):
        catalog.by_name['export_formats'].read('tfl')


class Own(Options, group='own', home=PROJECT):
    own: str = declare('', 'A text.')


def test_extras_are_joined_in_their_order():
    extras = Extras(
        (Extra('a', options=(Own,), sources={'x': '1'}), Extra('b', sources={'y': '2'}))
    )
    assert extras.options() == (Own,)
    assert extras.joined('sources') == {'x': '1', 'y': '2'}
    assert extras.code('evaluation_files') == []
