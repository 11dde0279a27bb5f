"""Image files to prepared images on all cores, in the order asked for and in bounded memory.

Workers are spawned: under fork they would inherit TensorFlow. They hand over bytes and facts; the
parent serializes and writes.
"""

from __future__ import annotations

import collections
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from library import files
from library.errors import ResourceError
from library.preparation.images import PreparedImage, RejectedImage, prepare_image
from library.preparation.sources.source import LabelledFile

# Images that one message to a worker carries: enough to hide the message's cost, few enough for a
# smooth progress bar.
CHUNK = 8
# Messages under way per worker, so that none waits while the parent writes.
AHEAD = 3

Outcome = PreparedImage | RejectedImage


def prepare_all(
    images: Sequence[LabelledFile], workers: int, max_edge: int, quality: int
) -> Iterator[tuple[LabelledFile, Outcome]]:
    """Yields every image with what became of it, in the given order.

    Raises:
      ResourceError: a worker died (killed, or out of memory).
    """
    waiting: collections.deque[tuple[Sequence[LabelledFile], Future[list[Outcome]]]]
    waiting = collections.deque()
    context = multiprocessing.get_context('spawn')
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    chunks = (images[start : start + CHUNK] for start in range(0, len(images), CHUNK))

    def submit(count: int) -> None:
        for chunk in islice(chunks, count):
            contents = [_content(image) for image in chunk]
            waiting.append((chunk, pool.submit(prepare_chunk, contents, max_edge, quality)))

    try:
        submit(workers * AHEAD)
        while waiting:
            chunk, future = waiting.popleft()
            outcomes = future.result()
            submit(1)
            yield from zip(chunk, outcomes, strict=True)
    except BrokenProcessPool:
        raise ResourceError(
            'a worker process died (killed, or out of memory); nothing was written, run it again'
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def prepare_chunk(contents: list[str | bytes], max_edge: int, quality: int) -> list[Outcome]:
    """Prepares some images, each given as a local path or as its bytes."""
    outcomes: list[Outcome] = []
    for content in contents:
        try:
            data = content if isinstance(content, bytes) else files.read_bytes(content)
            outcomes.append(prepare_image(data, max_edge, quality))
        except OSError as error:
            outcomes.append(RejectedImage((error.strerror or str(error)).lower()))
        except RejectedImage as rejected:
            outcomes.append(rejected)
    return outcomes


def _content(image: LabelledFile) -> str | bytes:
    """Workers read local files; remote ones need TensorFlow, which only the parent has."""
    return files.read_bytes(image.path) if files.is_remote(image.path) else image.path


def _start_worker() -> None:
    """Leaves Ctrl-C to the parent, and ends with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
