"""Answers to the bytes of a file, .csv or .jsonl, batch by batch."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from library.modes.prediction.answers import Answer


def encoded(path: str, batches: Iterable[Sequence[Answer]], count: int) -> Iterator[bytes]:
    """Yields the content of a file, piece by piece.

    Args:
      path: of the file, whose ending is one of ENDINGS.
      batches: of answers.
      count: how many classes each answer names.
    """
    if path.lower().endswith('.jsonl'):
        yield from map(json_lines, batches)
        return
    yield csv_header(count)
    for answers in batches:
        yield csv_rows(answers, count)


def csv_header(count: int) -> bytes:
    """The first line.

    Args:
      count: how many classes each answer names.
    """
    columns = ['file', 'class', 'probability']
    for place in range(2, count + 1):
        columns += [f'class_{place}', f'probability_{place}']
    return (','.join([*columns, 'error']) + '\n').encode()


def csv_rows(answers: Sequence[Answer], count: int) -> bytes:
    """A line for each answer, in the order of the columns; what an answer lacks stays empty.

    Names that are no UTF-8 are written as the bytes that they have on the disk.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    for answer in answers:
        cells = [str(cell) for prediction in answer.predictions for cell in prediction]
        writer.writerow([answer.file, *cells, *[''] * (2 * count - len(cells)), answer.error])
    return text.getvalue().encode('utf-8', 'surrogateescape')


def json_lines(answers: Sequence[Answer]) -> bytes:
    r"""An object for each answer, in ASCII.

    Bytes of a name that are no UTF-8 are the escapes \udc80 to \udcff, as os.fsdecode gives them.
    """
    lines = []
    for answer in answers:
        if answer.error:
            content: dict[str, object] = {'file': answer.file, 'error': answer.error}
        else:
            # The shortest text that gives the same float32 again.
            found = [
                {'class': name, 'probability': float(str(probability))}
                for name, probability in answer.predictions
            ]
            content = {'file': answer.file, 'predictions': found}
        lines.append(json.dumps(content) + '\n')
    return ''.join(lines).encode()
