"""A CSV file to a list of labelled images."""

from __future__ import annotations

import os
import re
import uuid

import pytest

from library.errors import ConfigError, DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.csv_file import CsvFile
from library.records.listing import Unusable

PLAIN = 'path,label\ncat/1.jpg,cat\ndog/1.jpg,dog\n'


def write_images(folder, *names):
    """Writes files of seven bytes; a listing never looks into them."""
    for name in names or ('cat/1.jpg', 'dog/1.jpg'):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x' * 7)


def listed(tmp_path, text, name='images.csv', **options):
    """Writes the CSV file and lists it; its own path is `tmp_path/name`."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source = SourceOptions(dataset_dir=str(path), **options)
    return CsvFile(source, Output(str(tmp_path / 'out'), None)).listing()


def refusal(kind, tmp_path, text, **options):
    """What is said of a CSV file that is refused, after its folder's name."""
    with pytest.raises(kind) as caught:
        listed(tmp_path, text, **options)
    message = str(caught.value)
    assert '\n' not in message
    return message.removeprefix(f'{tmp_path}/')


def classes(listing):
    """Filename to class name."""
    return {image.filename: listing.class_names[image.label] for image in listing.images}


def reasons(listing):
    """Filename to why it cannot be used, '' where it can."""
    return {
        image.filename: image.content.reason if isinstance(image.content, Unusable) else ''
        for image in listing.images
    }


@pytest.mark.graph
@pytest.mark.parametrize(
    ('name', 'fits'),
    [
        ('a.csv', True),
        ('a.tsv', True),
        ('gs://b/A.CSV', True),
        ('a.csv/', False),
        ('csv', False),
        ('', False),
    ],
)
def test_a_csv_file_is_told_by_its_ending(name, fits):
    assert CsvFile.fits(name) is fits


# The rows and the columns.


def test_a_row_is_an_image_with_its_class_path_and_size(tmp_path):
    write_images(tmp_path)
    listing = listed(tmp_path, PLAIN)
    assert listing.class_names == ('cat', 'dog')
    assert classes(listing) == {'cat/1.jpg': 'cat', 'dog/1.jpg': 'dog'}
    image = listing.images[0]
    assert (image.content, image.size) == (str(tmp_path / 'cat' / '1.jpg'), 7)
    assert (listing.folder, listing.splits) == (str(tmp_path / 'images.csv'), ())


def test_images_are_in_the_order_of_the_rows(tmp_path):
    listing = listed(tmp_path, 'path,label\nb.jpg,1\nc.jpg,0\na.jpg,1\n')
    assert [image.filename for image in listing.images] == ['b.jpg', 'c.jpg', 'a.jpg']


@pytest.mark.parametrize(
    'text',
    [
        b'\xef\xbb\xbf' + PLAIN.encode(),
        PLAIN.replace('\n', '\r\n'),
        PLAIN.replace('\n', '\r'),
        PLAIN.removesuffix('\n'),
        PLAIN.replace('\n', '\n\n'),
        '\n' + PLAIN + ',\n  \n,,,\n',
        PLAIN.replace(',', ';'),
        PLAIN.replace(',', '\t'),
        PLAIN.replace(',', ' , '),
        'path,label\n"cat/1.jpg", "cat"\n"dog/1.jpg","dog"\n',
        '"path";"label"\n"cat/1.jpg";"cat"\n"dog/1.jpg";"dog"\n',
        'label,note,path\ncat,"a, b",cat/1.jpg\ndog,,dog/1.jpg,\n',
    ],
    ids=[
        'byte order mark',
        'CRLF',
        'CR',
        'no last line end',
        'empty lines',
        'blank rows',
        'semicolons',
        'tabs',
        'spaces',
        'quotes',
        'quotes and semicolons',
        'other columns',
    ],
)
def test_the_same_table_is_read_however_it_is_written(tmp_path, text):
    write_images(tmp_path)
    listing = listed(tmp_path, text)
    assert classes(listing) == {'cat/1.jpg': 'cat', 'dog/1.jpg': 'dog'}
    assert set(reasons(listing).values()) == {''}


def test_quotes_keep_commas_quotes_and_line_breaks(tmp_path):
    write_images(tmp_path, 'a,b.jpg', 'a"b.jpg', 'a\nb.jpg')
    listing = listed(tmp_path, 'path,label\n"a,b.jpg","x, y"\n"a""b.jpg",z\n"a\nb.jpg",z\n')
    assert classes(listing) == {'a,b.jpg': 'x, y', 'a"b.jpg': 'z', 'a\nb.jpg': 'z'}
    assert set(reasons(listing).values()) == {''}


def test_columns_may_have_other_names(tmp_path):
    write_images(tmp_path)
    text = 'file,kind,fold,path\ncat/1.jpg,cat,a,x\ndog/1.jpg,dog,b,y\n'
    names = {'path_column': 'file', 'label_column': ('kind',), 'split_column': 'fold'}
    listing = listed(tmp_path, text, **names)
    assert classes(listing) == {'cat/1.jpg': 'cat', 'dog/1.jpg': 'dog'}
    assert listing.splits == ('a', 'b')


@pytest.mark.parametrize(
    ('header', 'options', 'expected'),
    [
        (
            'name,label',
            {},
            "no column 'path', 'filename' or 'image' (--path_column); its columns are 'name', "
            "'label'",
        ),
        (
            'path;kind',
            {},
            "no column 'label', 'class' or 'category' (--label_column); its columns are 'path', "
            "'kind'",
        ),
        (
            'path,label',
            {'path_column': 'file'},
            "no column 'file' (--path_column); its columns are 'path', 'label'",
        ),
        (
            'path,label',
            {'label_column': ('a', 'label')},
            "no column 'a' (--label_column); its columns are 'path', 'label'",
        ),
        (
            'path,label',
            {'split_column': 'split'},
            "no column 'split' (--split_column); its columns are 'path', 'label'",
        ),
        ('path,label,label', {}, "2 columns are named 'label' (--label_column)"),
    ],
)
def test_a_missing_column_is_a_usage_error_that_names_those_there_are(
    tmp_path, header, options, expected
):
    text = f'{header}\n1.jpg,cat\n'
    assert refusal(ConfigError, tmp_path, text, **options) == f'images.csv: {expected}'


@pytest.mark.parametrize('text', ['', '\n\r\n  \n', b'\xef\xbb\xbf'])
def test_an_empty_file_is_an_error(tmp_path, text):
    assert refusal(DataError, tmp_path, text) == 'images.csv: the file is empty'


def test_a_header_without_rows_is_an_error(tmp_path):
    expected = 'images.csv: no rows below the header'
    assert refusal(DataError, tmp_path, 'path,label\n\n') == expected


def test_a_missing_file_is_a_usage_error(tmp_path):
    path = f'{tmp_path}/gone.csv'
    source = CsvFile(SourceOptions(dataset_dir=path), Output(str(tmp_path / 'out'), None))
    with pytest.raises(ConfigError, match=rf'^{re.escape(path)}: no such file \(--dataset_dir\)$'):
        source.listing()


@pytest.mark.parametrize(
    ('make', 'kind'), [(os.mkdir, 'folder'), (os.mkfifo, 'not a regular file')]
)
def test_what_is_no_file_is_refused_without_opening_it(tmp_path, make, kind):
    path = f'{tmp_path}/images.csv'
    make(path)
    source = CsvFile(SourceOptions(dataset_dir=path), Output(str(tmp_path / 'out'), None))
    with pytest.raises(ConfigError, match=rf'{kind}, not a CSV file \(--dataset_dir\)$'):
        source.listing()


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-16-be', 'utf-16-le'])
def test_utf16_is_named_as_such(tmp_path, encoding):
    mark = b'' if encoding == 'utf-16' else '\ufeff'.encode(encoding)
    expected = 'images.csv: the text is UTF-16; save it as UTF-8'
    assert refusal(ConfigError, tmp_path, mark + PLAIN.encode(encoding)) == expected


def test_text_that_is_no_utf8_is_refused(tmp_path):
    text = 'path,label\n1.jpg,cat\n2.jpg,caf\xe9\n'
    expected = 'images.csv: line 3: the text is not UTF-8; save it as UTF-8'
    assert refusal(DataError, tmp_path, text.encode('latin-1')) == expected
    assert listed(tmp_path, text.encode('utf-8-sig')).class_names == ('caf\xe9', 'cat')


@pytest.mark.parametrize(
    ('row', 'expected'),
    [
        ('1.jpg,c\0t', 'holds a NUL byte'),
        ('"1.jpg,cat', 'unexpected end of data (is a quote left open?)'),
        ('"1.jpg"x,cat', "',' expected after '\"' (is a quote left open?)"),
        (
            f'1.jpg,{"x" * 200_000}',
            'field larger than field limit (131072) (is a quote left open?)',
        ),
        (',cat', 'no path'),
        ('1.jpg', 'no label'),
        ('1.jpg, ', 'no label'),
        ('a,1.jpg,cat', '3 cells below 2 columns (a delimiter needs quotes)'),
        ('1.jpg,"c\nt"', "the class name 'c\\nt' holds a line break"),
        ('http://x/1.jpg,cat', "'http://x/1.jpg' is a URL, not a file (download the images first)"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named_by_its_line(tmp_path, row, expected):
    # The quoted cell spans lines 2 and 3, line 4 is empty: the bad row starts in line 5.
    text = f'path,label\n"a\nb.jpg",cat\n\n{row}\n'
    assert refusal(DataError, tmp_path, text) == f'images.csv: row 5: {expected}'


def test_the_first_bad_row_is_named_and_all_are_counted(tmp_path):
    text = 'path,label\n1.jpg,cat\n2.jpg,\n3.jpg,cat\n4.jpg\n../5.jpg,cat\n'
    expected = 'images.csv: row 3: no label (the first of 3 bad rows)'
    assert refusal(DataError, tmp_path, text) == expected


def test_the_same_path_twice_is_listed_twice(tmp_path):
    write_images(tmp_path)
    listing = listed(tmp_path, 'path,label\ncat/1.jpg,cat\ncat/1.jpg,cat\n./cat/1.jpg,dog\n')
    assert [image.filename for image in listing.images] == ['cat/1.jpg'] * 3
    assert [image.label for image in listing.images] == [0, 0, 1]


# Classes and splits.


@pytest.mark.parametrize(
    ('labels', 'expected'),
    [
        ('dog Zebra cat dog', ('Zebra', 'cat', 'dog')),
        ('10 9 0 9', ('0', '9', '10')),
        ('10 9 x', ('10', '9', 'x')),
        ('10 9.0 9', ('10', '9', '9.0')),
        ('007 10 7', ('007', '7', '10')),
        (f'1{"0" * 5000} 9', ('9', f'1{"0" * 5000}')),
        ('\u0662 10 9', ('10', '9', '\u0662')),
    ],
)
def test_classes_are_sorted_as_texts_or_all_as_numbers(tmp_path, labels, expected):
    rows = ''.join(f'1.jpg,{label}\n' for label in labels.split())
    assert listed(tmp_path, f'path,label\n{rows}').class_names == expected


def test_splits_go_by_their_usual_names_or_as_written(tmp_path):
    names = ['Train', 'training', 'VAL', 'dev', 'Testing', 'Fold 1', 'fold 1']
    rows = ''.join(f'{number}.jpg,cat, {name} \n' for number, name in enumerate(names))
    listing = listed(tmp_path, f'path,label,split\n{rows}')
    assert [image.split for image in listing.images] == [
        'train',
        'train',
        'validation',
        'validation',
        'test',
        'Fold 1',
        'fold 1',
    ]
    assert listing.splits == ('train', 'validation', 'test', 'Fold 1', 'fold 1')


@pytest.mark.parametrize('name', ['a/b', '..', '.hidden', '"a\nb"', 'a\x7fb', 'a\\b'])
def test_a_split_that_cannot_name_a_folder_is_an_error(tmp_path, name):
    text = f'path,label,split\n1.jpg,cat,train\n2.jpg,cat,{name}\n'
    shown = repr(name.strip('"'))
    expected = f'images.csv: row 3: {shown} cannot be the name of a split'
    assert refusal(DataError, tmp_path, text) == expected


@pytest.mark.parametrize('row', ['2.jpg,cat,', '2.jpg,cat'])
def test_a_row_without_a_split_among_others_is_an_error(tmp_path, row):
    text = f'path,label,split\n1.jpg,cat,train\n{row}\n'
    assert refusal(DataError, tmp_path, text) == 'images.csv: row 3: no split'


# Paths.


@pytest.mark.parametrize(
    'path', ['./cat//1.jpg', 'dog/../cat/1.jpg', 'cat\\1.jpg', '.\\cat\\1.jpg', '{root}/cat/1.jpg']
)
def test_a_filename_is_the_path_below_the_root(tmp_path, path):
    write_images(tmp_path)
    listing = listed(tmp_path, f'path,label\n{path.format(root=tmp_path)},cat\n')
    assert reasons(listing) == {'cat/1.jpg': ''}
    assert listing.images[0].content == str(tmp_path / 'cat' / '1.jpg')


def test_a_backslash_in_the_name_of_a_file_is_kept(tmp_path):
    write_images(tmp_path, 'cat\\1.jpg')
    assert reasons(listed(tmp_path, 'path,label\ncat\\1.jpg,cat\n')) == {'cat\\1.jpg': ''}


def test_paths_may_start_from_another_root(tmp_path):
    write_images(tmp_path / 'images')
    (tmp_path / 'lists').mkdir()
    listing = listed(tmp_path, PLAIN, name='lists/a.csv', image_root=str(tmp_path / 'images'))
    assert reasons(listing) == {'cat/1.jpg': '', 'dog/1.jpg': ''}
    assert listing.images[0].content == str(tmp_path / 'images' / 'cat' / '1.jpg')


def test_the_whole_disk_may_be_the_root(tmp_path):
    write_images(tmp_path)
    path = str(tmp_path / 'cat' / '1.jpg')
    listing = listed(tmp_path, f'path,label\n{path},cat\n', image_root='/')
    assert reasons(listing) == {path[1:]: ''}
    assert listing.images[0].content == path


def test_a_file_in_the_current_folder_is_read(tmp_path, monkeypatch):
    write_images(tmp_path)
    (tmp_path / 'images.csv').write_text(PLAIN)
    monkeypatch.chdir(tmp_path)
    listing = CsvFile(SourceOptions(dataset_dir='images.csv'), Output('out', None)).listing()
    assert reasons(listing) == {'cat/1.jpg': '', 'dog/1.jpg': ''}


def test_a_missing_root_is_a_usage_error(tmp_path):
    root = str(tmp_path / 'gone')
    expected = 'gone: no such folder (--image_root)'
    assert refusal(ConfigError, tmp_path, PLAIN, image_root=root) == expected


@pytest.mark.parametrize(
    'path', ['../1.jpg', 'cat/../../1.jpg', '..', '..\\1.jpg', 'cat\\..\\..\\x']
)
def test_a_path_out_of_the_root_is_refused(tmp_path, path):
    message = refusal(DataError, tmp_path, f'path,label\n1.jpg,cat\n{path},cat\n')
    assert message.startswith('images.csv: row 3: ')
    assert message.endswith(f' leads out of {tmp_path}, where paths start (--image_root)')


@pytest.mark.parametrize('path', ['/etc/1.jpg', '{root}x/1.jpg', '{root}/../1.jpg', 'gs://b/1.jpg'])
def test_an_absolute_path_elsewhere_is_refused_and_the_remedy_named(tmp_path, path):
    path = path.format(root=tmp_path)
    assert refusal(DataError, tmp_path, f'path,label\n{path},cat\n') == (
        f"images.csv: row 2: '{path}' lies outside {tmp_path} "
        f'(give a folder above all images as --image_root)'
    )


# Images that cannot be looked at.


def test_a_missing_image_is_listed_with_its_row(tmp_path):
    write_images(tmp_path, 'cat/1.jpg')
    long = 'x' * 300
    text = f'path,label\ncat/1.jpg,cat\ngone.jpg,cat\nno/such.jpg,dog\n{long},cat\n'
    listing = listed(tmp_path, text)
    assert reasons(listing) == {
        'cat/1.jpg': '',
        'gone.jpg': 'row 3: no such file or directory',
        'no/such.jpg': 'row 4: no such file or directory',
        long: 'row 5: file name too long',
    }
    assert [image.size for image in listing.images] == [7, 0, 0, 0]
    assert listing.class_names == ('cat', 'dog')


def test_what_is_no_file_is_listed_without_opening_it(tmp_path):
    write_images(tmp_path, 'cat/1.jpg')
    os.mkfifo(tmp_path / 'pipe.jpg')
    listing = listed(tmp_path, 'path,label\npipe.jpg,cat\ncat,cat\n.,cat\ncat/1.jpg/2.jpg,cat\n')
    assert reasons(listing) == {
        'pipe.jpg': 'row 2: not a regular file',
        'cat': 'row 3: a folder, not an image',
        '.': 'row 4: a folder, not an image',
        'cat/1.jpg/2.jpg': 'row 5: not a directory',
    }


def linked(tmp_path):
    """Links to an image and to folders within and without the root; gives the rows."""
    root = tmp_path / 'root'
    write_images(tmp_path, 'elsewhere/1.jpg', 'root/cat/1.jpg')
    (root / 'image.jpg').symlink_to(root / 'cat' / '1.jpg')
    (root / 'within').symlink_to(root / 'cat')
    (root / 'without').symlink_to(tmp_path / 'elsewhere')
    (root / 'loop').symlink_to('loop')
    return 'path,label\nimage.jpg,a\nwithin/1.jpg,a\nwithout/1.jpg,a\nloop/1.jpg,a\n'


def test_links_are_not_followed_out_of_the_root(tmp_path):
    listing = listed(tmp_path / 'root', linked(tmp_path))
    assert reasons(listing) == {
        'image.jpg': 'row 2: symbolic link (see --follow_symlinks)',
        'within/1.jpg': '',
        'without/1.jpg': 'row 4: behind a symbolic link to elsewhere (see --follow_symlinks)',
        'loop/1.jpg': 'row 5: too many levels of symbolic links',
    }


def test_links_are_followed_where_that_is_asked_for(tmp_path):
    listing = listed(tmp_path / 'root', linked(tmp_path), follow_symlinks=True)
    assert reasons(listing) == {
        'image.jpg': '',
        'within/1.jpg': '',
        'without/1.jpg': '',
        'loop/1.jpg': 'row 5: too many levels of symbolic links',
    }


def test_the_root_itself_may_be_behind_a_link(tmp_path):
    write_images(tmp_path / 'root')
    (tmp_path / 'link').symlink_to('root')
    assert set(reasons(listed(tmp_path / 'link', PLAIN)).values()) == {''}


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read every folder')
def test_an_image_in_a_folder_that_may_not_be_read_is_listed_with_its_row(tmp_path):
    write_images(tmp_path)
    (tmp_path / 'cat').chmod(0)
    listing = listed(tmp_path, PLAIN)
    (tmp_path / 'cat').chmod(0o700)
    assert reasons(listing)['cat/1.jpg'] == 'row 2: permission denied'


@pytest.mark.graph
def test_remote_images_are_listed_like_local_ones(tmp_path):
    gfile = pytest.importorskip('tensorflow').io.gfile
    root = f'ram://{uuid.uuid4().hex}/data'
    gfile.makedirs(f'{root}/cat')
    for name in ('cat/1.jpg', '2.jpg'):
        with gfile.GFile(f'{root}/{name}', 'wb') as file:
            file.write(b'x' * 7)
    text = f'path,label\ncat\\1.jpg,cat\n{root}/2.jpg,dog\ngone.jpg,cat\ncat,cat\ncaf\xe9,cat\n'
    with gfile.GFile(f'{root}/images.csv', 'wb') as file:
        file.write(text.encode())
    options = SourceOptions(dataset_dir=f'{root}/images.csv')
    listing = CsvFile(options, Output(f'{root}/out', None)).listing()
    assert reasons(listing) == {
        'cat/1.jpg': '',
        '2.jpg': '',
        'gone.jpg': 'row 4: no such file or directory',
        'cat': 'row 5: a folder, not an image',
        'caf\xe9': 'row 6: no such file or directory',
    }
    assert listing.images[0].content == f'{root}/cat/1.jpg'
    assert [image.size for image in listing.images] == [7, 7, 0, 0, 0]
    assert listed(tmp_path, text.partition('gone')[0], image_root=root).images == listing.images[:2]


@pytest.mark.graph
@pytest.mark.parametrize(
    'path', ['../1.jpg', 'ram://here/../1.jpg', 'ram://here/x/../../y://1', '/1.jpg']
)
def test_a_path_out_of_a_remote_root_is_refused(tmp_path, path):
    root = f'ram://here/{uuid.uuid4().hex}'
    pytest.importorskip('tensorflow').io.gfile.makedirs(root)
    message = refusal(DataError, tmp_path, f'path,label\n{path},cat\n', image_root=root)
    assert re.search(f'row 2: .* (lies outside|leads out of) {root}', message)


def test_each_folder_is_resolved_once(tmp_path, monkeypatch):
    resolved = []
    realpath = os.path.realpath
    monkeypatch.setattr(os.path, 'realpath', lambda path: resolved.append(path) or realpath(path))
    write_images(tmp_path, '0/0.jpg')
    rows = ''.join(f'{number % 3}/{number}.jpg,cat\n' for number in range(300))
    assert listed(tmp_path, f'path,label\n{rows}').examples == 300
    assert len(resolved) == 4
