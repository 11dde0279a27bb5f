"""Write predictions as a .csv or .jsonl file, batch by batch."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from library.modes.prediction.image_predictions import Prediction


def encoded(path: str, batches: Iterable[Sequence[Prediction]], count: int) -> Iterator[bytes]:
    """Yield the content of a file, piece by piece.

    Args:
      path: of the file, whose ending is one of ENDINGS.
      batches: of predictions.
      count: how many classes each prediction names.
    """
    if path.lower().endswith('.jsonl'):
        yield from map(json_lines, batches)
        return
    yield csv_header(count)
    for predictions in batches:
        yield csv_rows(predictions, count)


def csv_header(count: int) -> bytes:
    """Write the first line.

    Args:
      count: how many classes each prediction names.
    """
    columns = ['file', 'class', 'probability']
    for place in range(2, count + 1):
        columns += [f'class_{place}', f'probability_{place}']
    return (','.join([*columns, 'error']) + '\n').encode()


def csv_rows(predictions: Sequence[Prediction], count: int) -> bytes:
    """Write a line for each prediction, in the order of the columns; what it lacks stays empty.

    Names that are no UTF-8 are written as the bytes that they have on the disk.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    for prediction in predictions:
        cells = [str(cell) for pair in prediction.classes for cell in pair]
        writer.writerow(
            [prediction.file, *cells, *[''] * (2 * count - len(cells)), prediction.error]
        )
    return text.getvalue().encode('utf-8', 'surrogateescape')


def json_lines(predictions: Sequence[Prediction]) -> bytes:
    r"""Write an object for each prediction, in ASCII.

    Bytes of a name that are no UTF-8 are the escapes \udc80 to \udcff, as os.fsdecode gives them.
    """
    lines = []
    for prediction in predictions:
        if prediction.error:
            content: dict[str, object] = {'file': prediction.file, 'error': prediction.error}
        else:
            # The shortest text that gives the same float32 again.
            found = [
                {'class': name, 'probability': float(str(probability))}
                for name, probability in prediction.classes
            ]
            content = {'file': prediction.file, 'predictions': found}
        lines.append(json.dumps(content) + '\n')
    return ''.join(lines).encode()
