"""YAML files to sets of written texts, each with its file and line; what is refused, and how."""

import pytest

from library.config.yaml_sets import MAX_ENTRIES, Written, read_flat, read_sets
from library.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    """Writes a text or bytes to a file; gives its path."""

    def call(content):
        path = tmp_path / 'sets.yaml'
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return call


def texts(path):
    return {
        name: {key: written.text for key, written in values.items()}
        for name, values in read_sets(path).items()
    }


def refusal(path):
    with pytest.raises(ConfigError) as caught:
        read_sets(path)
    return str(caught.value)


@pytest.mark.parametrize(
    'text',
    ['1e-3', '0.', 'no', 'on', 'Yes', '010', '0x1F', '12:30:00', '2024-01-01', '~', 'null', '.nan'],
)
def test_a_scalar_arrives_as_it_was_written(write, text):
    assert texts(write(f'default:\n  key: {text}\n')) == {'default': {'key': text}}


def test_quotes_are_not_part_of_the_text(write):
    assert texts(write('default: {one: "a b", two: \'c: d\'}')) == {
        'default': {'one': 'a b', 'two': 'c: d'}
    }


def test_each_value_knows_file_and_line(write):
    path = write('# comment\ndefault:\n  one: 1\n\n  two: 2\n')
    assert read_sets(path) == {
        'default': {'one': Written('1', f'{path}:3'), 'two': Written('2', f'{path}:5')}
    }


def test_a_set_inherits_and_keeps_the_lines_of_what_it_inherits(write):
    path = write('base: &BASE\n  one: 1\n  two: 2\nother:\n  <<: *BASE\n  two: 3\n')
    other = read_sets(path)['other']
    assert other['one'] == Written('1', f'{path}:2')
    assert other['two'] == Written('3', f'{path}:6')


def test_own_keys_win_even_when_the_merge_is_written_last(write):
    path = write('base: &BASE\n  one: 1\nother:\n  one: 2\n  <<: *BASE\n')
    assert texts(path)['other'] == {'one': '2'}


def test_of_several_merged_sets_the_first_wins(write):
    path = write('a: &A {key: 1}\nb: &B {key: 2, more: 3}\nc:\n  <<: [*A, *B]\n')
    assert texts(path)['c'] == {'key': '1', 'more': '3'}


def test_inheritance_goes_on_through_several_sets(write):
    path = write('a: &A {one: 1}\nb: &B {<<: *A, two: 2}\nc: {<<: *B, three: 3}\n')
    assert texts(path)['c'] == {'one': '1', 'two': '2', 'three': '3'}


def test_a_list_of_scalars_is_several_texts(write):
    assert texts(write('default:\n  key: [a, 1, no]\n')) == {'default': {'key': ('a', '1', 'no')}}


def test_a_set_may_be_empty(write):
    assert texts(write('default:\nother:\n  key: 1\n')) == {'default': {}, 'other': {'key': '1'}}


def test_a_byte_order_mark_is_no_part_of_the_first_name(write):
    assert texts(write(b'\xef\xbb\xbfdefault: {key: 1}\r\n')) == {'default': {'key': '1'}}


def test_a_flat_file_is_one_set(write):
    path = write('one: 1\ntwo: [a, b]\n')
    assert read_flat(path) == {
        'one': Written('1', f'{path}:1'),
        'two': Written(('a', 'b'), f'{path}:2'),
    }


def test_a_missing_file_is_named(tmp_path):
    path = str(tmp_path / 'none.yaml')
    assert refusal(path) == f'{path}: no such file'


@pytest.mark.graph
def test_a_missing_remote_file_is_named():
    assert refusal('ram://nowhere/sets.yaml') == 'ram://nowhere/sets.yaml: no such file'


def test_a_folder_is_no_file_of_sets(tmp_path):
    assert refusal(str(tmp_path)) == f'{tmp_path}: is a directory'


@pytest.mark.parametrize('content', ['', '\n\n', '# nothing but a comment\n'])
def test_an_empty_file_is_reported(write, content):
    path = write(content)
    assert refusal(path) == f'{path}: the file is empty'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('- 1\n', '1: expected a mapping of names, not a list'),
        ('word\n', "1: expected a mapping of names, not the text 'word'"),
        ('default: 5\n', "1: set 'default' is the text '5', expected keys"),
        ('a:\n  k: 1\nb: [1]\n', "3: set 'b' is a list, expected keys"),
        ('a:\n  k: {x: 1}\n', "2: set 'a': key 'k' holds a mapping; sets are flat"),
        ('a:\n  k: [[1]]\n', "2: set 'a': key 'k' holds a list; sets are flat"),
        ('a:\n  ? [x]\n  : 1\n', "2: set 'a': a key must be a plain name"),
        ('a:\n  <<: 5\n', "2: set 'a': << takes a set, as in <<: *NAME"),
    ],
)
def test_what_is_no_mapping_of_flat_sets_is_refused_with_its_line(write, content, message):
    path = write(content)
    assert refusal(path) == f'{path}:{message}'


def test_a_key_written_twice_names_both_lines(write):
    path = write('default:\n  key: 1\n  other: 2\n  key: 3\n')
    assert refusal(path) == (
        f"{path}:4: set 'default': key 'key' is written twice (before on line 2)"
    )


def test_a_set_written_twice_names_both_lines(write):
    path = write('default: {a: 1}\ndefault: {a: 2}\n')
    assert refusal(path) == f"{path}:2: the file: key 'default' is written twice (before on line 1)"


def test_two_merges_in_one_set_are_a_key_written_twice(write):
    path = write('a: &A {x: 1}\nb: &B {y: 1}\nc:\n  <<: *A\n  <<: *B\n')
    assert refusal(path) == f"{path}:5: set 'c': key '<<' is written twice (before on line 4)"


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('a: {k: 1}\n---\nb: {k: 2}\n', '2: column 1: expected a single document'),
        ('a:\n\tk: 1\n', r"2: column 1: found character '\t'"),
        ('a:\n  k: "open\n', '3: column 1: found unexpected end of stream'),
        ('a:\n  k: *NOBODY\n', "2: column 6: found undefined alias 'NOBODY'"),
        ('a: [1, 2\nb: 3\n', '2: column 2: expected'),
        (b'a:\n  k: caf\xe9\n', '2: column 9 is not UTF-8 text'),
        (b'\xff\xfea\x00', '1: column 1 is not UTF-8 text'),
    ],
)
def test_what_is_no_yaml_is_refused_with_line_and_column(write, content, message):
    path = write(content)
    assert refusal(path).startswith(f'{path}:{message}')


def test_control_characters_are_refused(write):
    path = write('a: {k: \x01}\n')
    assert refusal(path) == f'{path}:1: column 8: special characters are not allowed'


@pytest.mark.parametrize(
    'content',
    [
        '!!python/object/apply:os.system {default: {key: 1}}\n',
        'default: !!python/object/apply:os.system {key: 1}\n',
        'default: {key: !!python/object/apply:os.system [ls]}\n',
        'default: {key: [!!python/name:os.system x]}\n',
        'default: {!!python/name:os.system key: 1}\n',
        'default:\n  <<: [!!python/object:x {key: 1}]\n',
        'default: {key: !mine 1}\n',
    ],
)
def test_a_tag_is_refused_wherever_it_stands(write, content):
    path = write(content)
    message = refusal(path)
    assert message.startswith(f'{path}:')
    assert message.endswith('is not allowed')


@pytest.mark.parametrize('bracket', ['[', '{a: ', '- '])
def test_deep_nesting_is_refused(write, bracket):
    path = write('default: ' + bracket * 3000)
    assert refusal(path).startswith(path)


def test_very_deep_lists_are_reported_as_such(write):
    path = write('default: ' + '[' * 3000 + ']' * 3000)
    assert refusal(path) == f'{path}: nested too deeply'


def test_merges_that_unfold_without_end_are_stopped(write):
    lines = ['a0: &A0 {k: 1}']
    for level in range(1, 9):
        merged = ', '.join([f'*A{level - 1}'] * 9)
        lines.append(f'a{level}: &A{level}\n  <<: [{merged}]')
    path = write('\n'.join(lines))
    assert refusal(path) == f'{path}: aliases unfold to more than {MAX_ENTRIES} entries'


def test_aliases_of_lists_of_aliases_are_no_flat_set(write):
    lines = ['a0: &A0 [x, x]']
    lines += [f'a{n}: &A{n} [{", ".join([f"*A{n - 1}"] * 9)}]' for n in range(1, 9)]
    path = write('\n'.join(lines))
    assert refusal(path) == f"{path}:1: set 'a0' is a list, expected keys"


def test_a_set_that_merges_itself_is_refused(write):
    path = write('default: &SELF\n  key: 1\n  <<: *SELF\n')
    assert refusal(path) == f"{path}:1: set 'default' merges itself or nests too deeply"
