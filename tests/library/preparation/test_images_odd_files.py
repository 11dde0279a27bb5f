"""Every bad and odd file of the corpus, judged."""

from __future__ import annotations

import io

from PIL import Image

from library.preparation.images import RejectedImage, check_jpeg, prepare_image
from tests.library.preparation.odd_files import MAX_EDGE, write_odd_files


def test_every_file_of_the_corpus_is_judged_as_it_should_be(tmp_path):
    bad, good = write_odd_files(tmp_path)
    assert len(bad) >= 120
    assert len(good) >= 80
    assert {path.name for path in tmp_path.iterdir()} == {*bad, *good}
    wrong = []
    for path in sorted(tmp_path.iterdir()):
        try:
            prepared = prepare_image(path.read_bytes(), MAX_EDGE, quality=80)
        except RejectedImage as rejected:
            reason = str(rejected)
            if path.name not in bad or bad[path.name] not in reason or '\n' in reason:
                wrong.append((path.name, reason))
            continue
        check_jpeg(prepared.jpeg)
        with Image.open(io.BytesIO(prepared.jpeg)) as stored:
            assert stored.size == (prepared.width, prepared.height)
        if (prepared.height, prepared.width) != good.get(path.name):
            wrong.append((path.name, (prepared.height, prepared.width)))
    assert wrong == []


def test_the_corpus_is_the_same_each_time(tmp_path):
    contents = []
    for name in ('first', 'second'):
        (tmp_path / name).mkdir()
        write_odd_files(tmp_path / name)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]
