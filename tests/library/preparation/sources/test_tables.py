"""Tables as Kaggle and labelling tools write them, to a list of labelled images."""

from __future__ import annotations

import json

import pytest

from library.errors import ConfigError, DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.csv_file import CsvFile
from library.preparation.sources.json_lines import JsonLines
from library.preparation.sources.registry import find_source
from library.records.listing import Unusable
from project.sources import SOURCES
from tests.library.preparation.sources.test_csv_file import classes, write_images


@pytest.fixture
def listed(tmp_path):
    """Writes a table and lists it; several texts are joined as its lines."""

    def call(*lines, name='images.csv', reader=CsvFile, **options):
        (tmp_path / name).write_text('\n'.join(lines))
        source = SourceOptions(dataset_dir=str(tmp_path / name), **options)
        return reader(source, Output(str(tmp_path / 'out'), None)).listing()

    return call


@pytest.fixture
def told(tmp_path):
    """What a listing says, without the table's name."""

    def call(listing):
        return [each.text.removeprefix(f'{listing.folder}: ') for each in listing.remarks]

    return call


@pytest.fixture
def refusal(listed, tmp_path):
    def call(kind, *lines, **options):
        with pytest.raises(kind) as caught:
            listed(*lines, **options)
        return str(caught.value).replace(f'{tmp_path}/', '')

    return call


# Paths.


@pytest.mark.parametrize('files', [('a1.jpg', 'b.2.JPG'), ('a1.png', 'b.2.webp')])
def test_an_id_without_an_ending_is_the_image_of_that_name(listed, told, tmp_path, files):
    write_images(tmp_path, *files, 'a1.txt')
    listing = listed('id,label', 'a1,x', 'b.2,y')
    assert classes(listing) == dict(zip(files, 'xy', strict=True))
    assert [image.content for image in listing.images] == [str(tmp_path / each) for each in files]
    endings = sorted(f'{name[name.rindex(".") :]} (1)' for name in files)
    assert told(listing)[-1] == f'paths without an ending: added {", ".join(endings)}'


def test_ids_below_folders_get_their_endings_too(listed, tmp_path):
    write_images(tmp_path, 'x/1.jpg', 'y/1.png')
    assert classes(listed('path,label', 'x/1,a', 'y\\1,b')) == {'x/1.jpg': 'a', 'y/1.png': 'b'}


def test_an_id_that_may_be_two_images_is_refused(refusal, tmp_path):
    write_images(tmp_path, '1.jpg', '1.png', '2.jpg')
    assert refusal(DataError, 'path,label', '2,a', '1,b') == (
        "images.csv: row 3: '1' may be '1.jpg' or '1.png': write its ending"
    )


def test_a_file_of_just_this_name_counts_before_one_with_an_ending(listed, told, tmp_path):
    write_images(tmp_path, '1', '1.jpg')
    listing = listed('path,label', '1,a')
    assert (classes(listing), told(listing)) == ({'1': 'a'}, [])


def test_letters_in_another_case_are_found(listed, told, tmp_path):
    write_images(tmp_path, 'IMG_1.JPG')
    listing = listed('path,label', 'img_1.jpg,a')
    assert classes(listing) == {'IMG_1.JPG': 'a'}
    assert told(listing) == ['paths in another case than the files: 1']


def test_images_in_a_folder_beside_the_table_are_found(listed, told, tmp_path):
    write_images(tmp_path, 'train/1.jpg', 'test/9.jpg')
    listing = listed('id,label', '1,a', '2,b')
    assert classes(listing) == {'1.jpg': 'a', '2': 'b'}
    assert told(listing)[1:] == [
        f'paths start from {tmp_path}/train, where the images are (--image_root)',
        'paths without an ending: added .jpg (1)',
    ]


def test_images_in_several_folders_are_found_in_each(listed, told, tmp_path):
    write_images(tmp_path, 'part_1/a.jpg', 'part_2/b.jpg', 'part_2/c.jpg', 'other/d.txt')
    listing = listed('id,label', 'a,x', 'b,y', 'c,x', 'lost,y')
    assert classes(listing) == {
        **{'part_1/a.jpg': 'x', 'part_2/b.jpg': 'y', 'part_2/c.jpg': 'x'},
        'lost': 'y',
    }
    assert told(listing)[1] == (
        f'paths start from part_1, part_2 in {tmp_path}, where the images are'
    )
    assert listing.images[1].content == str(tmp_path / 'part_2' / 'b.jpg')
    assert isinstance(listing.images[3].content, Unusable)


@pytest.mark.parametrize(
    'place', ['/home/someone/set', 'C:\\Users\\some one\\set', 'D:/set', '/', '/set/../x']
)
def test_absolute_paths_of_another_machine_are_taken_from_here(listed, told, tmp_path, place):
    write_images(tmp_path, 'cat/1.jpg', 'dog/1.jpg')
    between = '\\' if '\\' in place else '/'
    paths = [between.join([place.rstrip('/'), name, '1.jpg']) for name in ('cat', 'dog')]
    lines = ['path,label', f'{paths[0]},a', f'{paths[1]},b']
    if '..' in place:  # which could lead anywhere
        with pytest.raises(DataError, match='lies outside'):
            listed(*lines)
        return
    listing = listed(*lines)
    assert classes(listing) == {'cat/1.jpg': 'a', 'dog/1.jpg': 'b'}
    plain = place.replace('\\', '/').rstrip('/')
    assert told(listing) == [f'paths of another place: {plain} is taken for {tmp_path}']


@pytest.mark.parametrize('order', [1, -1])
def test_a_path_of_another_machine_keeps_the_folders_that_others_have(refusal, tmp_path, order):
    write_images(tmp_path, 'cat/1.jpg', '2.jpg')
    rows = ['/data/cat/1.jpg,a', '/data/dog/2.jpg,b'][::order]
    assert refusal(DataError, 'path,label', *rows) == (
        f"images.csv: '/data/dog/2.jpg' is not in {tmp_path}, which /data is taken for (only 2.jpg "
        f'is there)'
    )


@pytest.mark.parametrize(
    'start', ['file://{here}', 'FILE://localhost{here}', 'file:///elsewhere', 'file:///C:/x']
)
def test_a_url_of_a_local_file_is_its_path(listed, tmp_path, start):
    write_images(tmp_path, 'one cat/1.jpg')
    listing = listed('path,label', f'{start.format(here=tmp_path)}/one%20cat/1.jpg,a')
    assert classes(listing) == {'one cat/1.jpg': 'a'}
    assert not isinstance(listing.images[0].content, Unusable)


def test_absolute_paths_that_are_there_or_nowhere_are_refused(refusal, tmp_path):
    write_images(tmp_path, 'set/1.jpg', 'elsewhere/1.jpg')
    there = f'{tmp_path}/elsewhere/1.jpg'
    for path in (there, '/home/someone/2.jpg'):
        message = refusal(DataError, 'path,label', f'{path},a', name='set/images.csv')
        assert 'give a folder above all images as --image_root' in message


def test_a_folder_in_the_paths_may_be_that_of_the_table(listed, tmp_path):
    write_images(tmp_path, 'train/1.jpg')
    listing = listed('path,label', 'train/1.jpg,a', name='train/labels.csv')
    assert listing.images[0].content == str(tmp_path / 'train' / '..' / 'train' / '1.jpg')


def test_two_folders_that_may_be_meant_are_not_guessed(listed, told, tmp_path):
    write_images(tmp_path, 'one/1.jpg', 'two/1.jpg')
    listing = listed('path,label', '1.jpg,a')
    assert isinstance(listing.images[0].content, Unusable)
    assert told(listing) == [
        f'none of the images is there, such as 1.jpg in {tmp_path} (--image_root)'
    ]


# Columns.


@pytest.mark.parametrize(
    ('header', 'said'),
    [
        ('id,breed', "paths in 'id', classes in 'breed'"),
        ('image_id,label', "paths in 'image_id'"),
        ('file_name,label', "paths in 'file_name'"),
        ('Image Path,Class Name', "paths in 'Image Path', classes in 'Class Name'"),
        ('FILENAME;Category', "paths in 'FILENAME', classes in 'Category'"),
        ('filepaths\tlabels', "paths in 'filepaths', classes in 'labels'"),
        ('path,class_id', "classes in 'class_id'"),
        ('path,label', None),
    ],
)
def test_columns_are_found_by_their_usual_names(listed, told, tmp_path, header, said):
    write_images(tmp_path, '1.jpg')
    delimiter = next(each for each in ',;\t' if each in header)
    listing = listed(header, f'1.jpg{delimiter}cat')
    assert classes(listing) == {'1.jpg': 'cat'}
    assert told(listing) == ([f'columns taken by their names: {said}'] if said else [])


def test_a_number_beside_a_path_or_a_name_is_not_taken(listed, tmp_path):
    write_images(tmp_path, '1.jpg')
    listing = listed('id,class id,filepaths,labels', '7,0,1.jpg,cat')
    assert classes(listing) == {'1.jpg': 'cat'}


@pytest.mark.parametrize(
    ('header', 'message'),
    [
        ('file,image,label', "'file' and 'image' may be meant: name one (--path_column)"),
        ('id,image_id,label', "'id' and 'image_id' may be meant: name one (--path_column)"),
        ('path,class,category', "'class' and 'category' may be meant: name one (--label_column)"),
    ],
)
def test_columns_that_may_both_be_meant_are_refused(refusal, header, message):
    assert refusal(ConfigError, header, '1.jpg,x,y') == f'images.csv: {message}'


def test_the_documented_names_count_before_others(listed, tmp_path):
    write_images(tmp_path, '1.jpg')
    listing = listed('file,class,Path,label', 'x,0,1.jpg,cat')
    assert classes(listing) == {'1.jpg': 'cat'}


def test_a_column_of_usual_splits_is_one(listed, told, tmp_path):
    write_images(tmp_path, '1.jpg', '2.jpg')
    rows = ('1.jpg,a,train', '2.jpg,b,valid')
    listing = listed('path,label,data set', *rows)
    assert listing.splits == ('train', 'validation')
    assert told(listing) == ["columns taken by their names: splits in 'data set'"]
    assert listed('path,label,set', '1.jpg,a,train', '2.jpg,b,mine').splits == ()


def test_columns_of_0_and_1_are_the_classes(listed, told, tmp_path):
    write_images(tmp_path, '1.jpg', '2.jpg')
    listing = listed('image_id,age,rust,scab', '1,33,0,1.0', '2,40,1,0.0')
    assert classes(listing) == {'1.jpg': 'scab', '2.jpg': 'rust'}
    assert told(listing)[0] == (
        "columns taken by their names: paths in 'image_id', classes in 'rust', 'scab' "
        '(2 columns of 0 and 1)'
    )


def test_one_column_of_0_and_1_is_a_class_of_two_numbers(listed, tmp_path):
    write_images(tmp_path, '1.jpg', '2.jpg')
    listing = listed('id,has_cactus', '1.jpg,1', '2.jpg,0')
    assert classes(listing) == {'1.jpg': '1', '2.jpg': '0'}


def test_columns_of_classes_may_be_named(listed, tmp_path):
    write_images(tmp_path, '1.jpg', '2.jpg')
    rows = ('path,male,rust,scab', '1.jpg,1,0,1', '2.jpg,0,1,0')
    listing = listed(*rows, label_column=('rust', 'scab'))
    assert classes(listing) == {'1.jpg': 'scab', '2.jpg': 'rust'}


@pytest.mark.parametrize(
    ('cells', 'message'),
    [
        (
            '1,1',
            "'rust' and 'scab' are 1: each picture has one class here (--label_column names the "
            'columns of classes)',
        ),
        ('0,0', 'no label: no column of a class is 1'),
        ('0.7,0', "'0.7' in column 'rust' is neither 0 nor 1"),
    ],
)
def test_a_row_of_no_single_class_is_refused(refusal, tmp_path, cells, message):
    write_images(tmp_path, '1.jpg', '2.jpg')
    rows = ('path,rust,scab', '1.jpg,0,1', f'2.jpg,{cells}')
    options = {'label_column': ('rust', 'scab')}
    assert refusal(DataError, *rows, **options) == f'images.csv: row 3: {message}'


@pytest.mark.parametrize('rows', [('1.jpg,cat', '2,dog'), ('cat;1.jpg', 'dog;2.jpg')])
def test_without_a_header_the_first_row_is_an_image(listed, told, tmp_path, rows):
    write_images(tmp_path, '1.jpg', '2.jpg')
    listing = listed(*rows)
    assert classes(listing) == {'1.jpg': 'cat', '2.jpg': 'dog'}
    columns = (1, 2) if rows[0].startswith('1') else (2, 1)
    said = f'no header: paths in column {columns[0]}, classes in column {columns[1]}'
    assert told(listing)[0] == said


@pytest.mark.parametrize(
    'rows',
    [
        ('filename,x,y,w,h,name', '1.jpg,3,4,5,6,cat', '2.jpg,3,9,5,6,dog'),
        ('filename,y', '1.jpg,0.25', '2.jpg,1'),
        ('filename,y', *(f'{number}.jpg,{number}' for number in range(20))),
        ('image,emotion,valid', '1.jpg,happy,1', '2.jpg,sad,0'),
    ],
)
def test_coordinates_and_a_lone_flag_beside_texts_are_no_classes(refusal, rows):
    message = refusal(ConfigError, *rows)
    columns = ', '.join(map(repr, rows[0].split(',')))
    assert message == (
        f"images.csv: no column 'label', 'class' or 'category' (--label_column); its columns are "
        f'{columns}'
    )


@pytest.mark.parametrize('header', ['path,y', 'path,y,fold', ',path,is_cat', 'Unnamed: 0,path,y'])
def test_a_column_of_few_numbers_is_the_class(listed, tmp_path, header):
    write_images(tmp_path, '1.jpg', '2.jpg')
    rows = [
        ','.join({'path': f'{number}.jpg'}.get(name, str(number % 2)) for name in header.split(','))
        for number in (1, 2)
    ]
    assert listed(header, *rows).class_names == ('0', '1')


# Several classes.


@pytest.mark.parametrize(
    ('labels', 'found'),
    [
        (['cat', 'dog', 'cat;dog'], "row 4: 'cat;dog'"),
        (['cat', 'cat|bird'], "row 3: 'cat|bird'"),
        (['cat', 'dog', '"dog, cat"'], "row 4: 'dog, cat'"),
        (['rust', 'scab', 'spot', 'rust scab', 'scab spot'], "row 5: 'rust scab'"),
        (['cat', 'dog', 'cat+dog'], "row 4: 'cat+dog'"),
        (['cat', 'dog', 'dog/cat'], "row 4: 'dog/cat'"),
        (['x', """"['cat', 'dog']\""""], """row 3: "['cat', 'dog']\""""),
        (['x', """['cat' 'dog']"""], """row 3: "['cat' 'dog']\""""),
        (['x', '"[0, 1]"'], "row 3: '[0, 1]'"),
    ],
)
def test_a_label_that_lists_classes_is_refused(refusal, labels, found):
    message = refusal(DataError, 'path,label', *(f'1.jpg,{label}' for label in labels))
    assert message.startswith(f'images.csv: {found} names several classes')
    assert message.endswith(': each picture has one class here')


@pytest.mark.parametrize(
    'labels', [['hot dog', 'dog', 'hot'], ['"Doe, John"', '"Doe, Jane"'], ['a;b', 'c;d']]
)
def test_a_name_of_several_words_is_one_class(listed, tmp_path, labels):
    write_images(tmp_path, '1.jpg', '2.jpg', '3.jpg')
    rows = [f'{number}.jpg,{label}' for number, label in enumerate(labels, 1)]
    assert len(listed('path,label', *rows).class_names) == len(labels)


def test_a_label_that_may_list_classes_is_told(listed, told, tmp_path):
    write_images(tmp_path, '1.jpg', '2.jpg', '3.jpg')
    listing = listed('path,label', '1.jpg,rust', '2.jpg,scab', '3.jpg,rust scab')
    assert told(listing) == [
        "warning: row 4: 'rust scab' is taken for a class of its own, and may name several (each "
        'picture has one class here)'
    ]


# JSON lines, and metadata beside images.


def test_json_lines_are_read_like_a_table(listed, told, tmp_path):
    write_images(tmp_path, '1.jpg', '2.jpg', '3.jpg')
    rows = [
        {'file_name': '1.jpg', 'label': 1},
        {'label': 10, 'file_name': '2.jpg', 'note': {'a': 1}},
        {'file_name': '3.jpg', 'label': [2]},
    ]
    listing = listed(*map(json.dumps, rows), '', name='a.jsonl', reader=JsonLines)
    assert classes(listing) == {'1.jpg': '1', '2.jpg': '10', '3.jpg': '2'}
    assert listing.class_names == ('1', '2', '10')


@pytest.mark.parametrize(
    ('name', 'source'),
    [('a.tsv', 'csv'), ('a.TSV', 'csv'), ('a.ndjson', 'json_lines'), ('a.jsonl', 'json_lines')],
)
def test_a_table_is_told_by_its_ending(tmp_path, name, source):
    (tmp_path / name).touch()
    assert find_source(SOURCES, str(tmp_path / name)) == source


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('{"path": "1.jpg"}', 'no label'),
        (r'{"path": "1.jpg", "label": "\ud83d"}', r"'\ud83d' holds half a character"),
        ('{"path": "1.jpg", "label": ["x", "y"]}', 'several classes, x, y: each picture has one'),
        ('["1.jpg", "x"]', 'not a JSON object'),
        ('{"path": ', 'not a JSON object'),
    ],
)
def test_a_bad_line_of_json_is_named(refusal, line, message):
    first = '{"path": "0.jpg", "label": "x"}'
    said = refusal(DataError, first, line, name='a.jsonl', reader=JsonLines)
    assert said.startswith(f'a.jsonl: row 2: {message}')


def test_folders_of_splits_with_metadata_are_read_together(tmp_path):
    write_images(tmp_path, 'train/1.jpg', 'train/2.jpg', 'val/1.jpg')
    (tmp_path / 'train' / 'metadata.csv').write_text('file_name,label\n1.jpg,b\n2.jpg,c\n')
    (tmp_path / 'val' / 'metadata.csv').write_text('file_name,label\n1.jpg,a\n')
    assert find_source(SOURCES, str(tmp_path)) == 'csv'
    listing = CsvFile(SourceOptions(dataset_dir=str(tmp_path)), Output('out', None)).listing()
    assert classes(listing) == {'train/1.jpg': 'b', 'train/2.jpg': 'c', 'val/1.jpg': 'a'}
    assert [image.split for image in listing.images] == ['train', 'train', 'validation']
    assert listing.images[2].content == str(tmp_path / 'val' / '1.jpg')


@pytest.mark.parametrize(
    ('name', 'text', 'source'),
    [
        ('metadata.csv', 'file_name,label\n1.jpg,cat\n', 'csv'),
        ('metadata.jsonl', '{"file_name": "1.jpg", "label": "cat"}\n', 'json_lines'),
        ('metadata.csv', 'file_name,text\n1.jpg,A cat.\n', 'folder'),
        ('metadata.csv', 'a,label\n1.jpg,cat\n', 'folder'),
    ],
)
def test_a_folder_with_metadata_is_read_by_it(tmp_path, name, text, source):
    write_images(tmp_path, '1.jpg')
    (tmp_path / name).write_text(text)
    assert find_source(SOURCES, str(tmp_path)) == source
    if source != 'folder':
        kind = {'csv': CsvFile, 'json_lines': JsonLines}[source]
        options = SourceOptions(dataset_dir=str(tmp_path))
        assert classes(kind(options, Output('out', None)).listing()) == {'1.jpg': 'cat'}


def test_json_lines_that_are_no_utf8_are_refused(tmp_path):
    path = tmp_path / 'images.jsonl'
    path.write_bytes(b'{"path": "1.jpg", "label": "caf\xe9"}\n')
    source = JsonLines(SourceOptions(dataset_dir=str(path)), Output(str(tmp_path / 'out'), None))
    with pytest.raises(DataError, match=r'line 1: the text is not UTF-8; save it as UTF-8$'):
        source.listing()


# Splits that folders in the paths tell.


@pytest.mark.parametrize('above', ['', 'data/images/'])
def test_folders_named_after_splits_are_splits(listed, told, tmp_path, above):
    names = [f'{above}seg_train/a/1.jpg', f'{above}seg_test/2.jpg']
    write_images(tmp_path, *names)
    listing = listed('path,label', *(f'{name},x' for name in names), f'{above}seg_train/3.jpg,y')
    assert [image.split for image in listing.images] == ['train', 'test', 'train']
    assert told(listing) == [
        f'splits by the folders in the paths: {above}seg_test is test, {above}seg_train is train'
    ]


def test_splits_that_hold_the_images_beside_a_table_are_splits(listed, tmp_path):
    write_images(tmp_path, 'train/1.jpg', 'test/2.jpg')
    listing = listed('path,label', '1.jpg,x', '2.jpg,y', 'gone.jpg,y')
    assert [image.split for image in listing.images] == ['train', 'test', 'train']


@pytest.mark.parametrize(
    'names',
    [
        ('train/1.jpg', 'train/2.jpg'),
        ('train/1.jpg', 'bus/2.jpg'),
        ('train_station/1.jpg', 'test_tube/2.jpg', 'bus/3.jpg'),
    ],
)
def test_other_folders_are_no_splits(listed, told, tmp_path, names):
    write_images(tmp_path, *names)
    listing = listed('path,label', *(f'{name},x' for name in names))
    assert (listing.splits, told(listing)) == ((), [])


def test_a_column_of_splits_counts_before_folders(listed, tmp_path):
    write_images(tmp_path, 'train/1.jpg', 'test/2.jpg')
    listing = listed('path,label,split', 'train/1.jpg,x,test', 'test/2.jpg,y,train')
    assert [image.split for image in listing.images] == ['test', 'train']


def test_a_table_that_is_one_split_by_its_name_is_not_divided(listed, tmp_path):
    write_images(tmp_path, 'train/1.jpg', 'val/2.jpg')
    rows = ('path,label', 'train/1.jpg,x', 'val/2.jpg,y')
    assert listed(*rows, name='train.csv').splits == ()
    assert listed(*rows, name='all.csv').splits == ('train', 'validation')


def test_splits_beside_other_folders_are_warned_of(listed, told, tmp_path):
    write_images(tmp_path, 'train/1.jpg', 'test/2.jpg', 'extra/3.jpg')
    listing = listed('path,label', 'train/1.jpg,x', 'test/2.jpg,y', 'extra/3.jpg,y')
    assert listing.splits == ()
    assert told(listing) == [
        'warning: the folders test, train are no splits here, as 1 of 3 paths lie in others, such '
        'as extra/3.jpg: a column named split tells the split of each'
    ]


@pytest.mark.parametrize('names', [('Cat', 'cat'), ('1', '1.0'), ('ice cream', 'ice_cream')])
def test_classes_that_may_be_one_are_told(listed, refusal, told, tmp_path, names):
    write_images(tmp_path, '1.jpg', '2.jpg')
    listing = listed('path,label', f'1.jpg,{names[0]}', f'2.jpg,{names[1]}')
    assert told(listing) == [f'taken for different classes: {names[0]}, {names[1]}']
    rows = f'1.jpg,{names[0]},train', f'2.jpg,{names[1]},test'
    assert refusal(DataError, 'path,label,split', *rows) == (
        f'images.csv: {names[0]}, {names[1]}: one class in two spellings? Write it in one way'
    )
