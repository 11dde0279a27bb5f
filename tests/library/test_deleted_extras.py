"""What somebody deleted with an extra is refused by the name of the extra."""

from __future__ import annotations

import pytest

from library.config.checked_sets import read_value
from library.config.command_line import parse
from library.config.hparams import resolve
from library.config.yaml_sets import Written
from library.errors import ConfigError
from library.modes.options import ExportFormatOptions
from project.options import CATALOG

MODES = ('train', 'evaluate')


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


def test_an_option_of_a_deleted_extra_in_a_set_is_reported_with_its_place(write):
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
    catalog = CATALOG.extended((ExportFormatOptions,), {'export_formats': formats})
    assert catalog.by_name['export_formats'].read('other') == ('other',)
    written = Written('tflite', 'command line')
    with pytest.raises(ConfigError, match="'tflite' is a choice of extras/tflite_and_hub_export,"):
        read_value(catalog.by_name['export_formats'], written, '--export_formats')
    with pytest.raises(ValueError, match="'tfl' is not one of other"):
        catalog.by_name['export_formats'].read('tfl')
