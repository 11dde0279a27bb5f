"""Answers to the list of misclassified images, with the names of their files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from library.modes.evaluation.answers import Answers, Mistake

# So many of the surest mistakes keep their image, for the report.
PICTURED = 24


def list_mistakes(
    answers: Answers, stored_files: Callable[[Collection[int]], Iterator[tuple[int, str, bytes]]]
) -> tuple[Mistake, ...]:
    """The misclassified images, the surest mistake first.

    Args:
      answers: of each image.
      stored_files: number, name and JPEG of the images with these numbers, where they have such.
    """
    numbers = answers.mistakes.tolist()
    pictured = set(numbers[:PICTURED])
    found: dict[int, tuple[str, bytes | None]] = {}
    if numbers:
        for number, name, content in stored_files(numbers):
            found[number] = name, content if number in pictured else None
    mistakes = []
    for number in numbers:
        file, jpeg = found.get(number, ('', None))
        true, predicted = int(answers.labels[number]), int(answers.predicted[number])
        mistakes.append(
            Mistake(
                number,
                file,
                answers.class_names[true],
                answers.class_names[predicted],
                float(answers.probabilities[number, predicted]),
                float(answers.probabilities[number, true]),
                jpeg,
            )
        )
    return tuple(mistakes)
