"""Show predictions as a table that is as wide as the screen."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from library.modes.prediction.image_predictions import Prediction
from library.pages.short_text import end_of, printable, short_name

# A line that is longer is hard to read, a shorter one holds too little.
NARROWEST, WIDEST = 80, 120
# Longer class names are cut.
CLASS_WIDTH = 20
PROBABILITY = 'probability'


class PredictionTable:
    """A line for each prediction: file, class, probability, and the next classes that fit.

    The column of files is as wide as the names of the first predictions need; longer names that
    come later lose their beginning, which they mostly share.
    """

    def __init__(self, class_names: Sequence[str], count: int, width: int | None = None):
        """Make the table.

        Args:
          class_names: that may be named.
          count: how many of them each prediction names.
          width: of the screen, in characters; None asks the terminal.
        """
        width = width or shutil.get_terminal_size((100, 24)).columns
        self._width = min(max(width, NARROWEST), WIDEST)
        longest = max(len(name) for name in ('class', *class_names))
        self._class_width = min(longest, CLASS_WIDTH)
        self._file_width = 0
        self._others = 'next' if count > 1 else ''

    def lines(self, predictions: Sequence[Prediction]) -> list[str]:
        """Write the lines of some predictions, below the header if they are the first."""
        lines = []
        if predictions and not self._file_width:
            longest = max(len(prediction.file) for prediction in predictions)
            # The rest is for the class, its probability and at least one more.
            most = self._width - 2 * self._class_width - len(PROBABILITY) - 14
            self._file_width = max(min(longest, most), len('file'))
            lines.append(self._line('file', 'class', PROBABILITY, self._others))
        return [*lines, *map(self._row, predictions)]

    def _row(self, prediction: Prediction) -> str:
        file = end_of(printable(prediction.file), self._file_width)
        if prediction.error:
            error = f'error: {printable(prediction.error)}'
            return f'{file:<{self._file_width}}  {error}'[: self._width]
        (name, probability), *others = prediction.classes
        line = self._line(file, self._name(name), f'{probability:.4f}', '')
        for name, probability in others:
            part = f'{self._name(name)} {probability:.4f}'
            if len(line) + 2 + len(part) > self._width:
                break
            line = f'{line}  {part}'
        return line

    def _line(self, file: str, name: str, probability: str, others: str) -> str:
        line = f'{file:<{self._file_width}}  {name:<{self._class_width}}  {probability:>11}'
        return f'{line}  {others}' if others else line

    def _name(self, name: str) -> str:
        return short_name(name, self._class_width)
