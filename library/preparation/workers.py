"""Prepare image files on all cores, in the given order and in bounded memory.

Workers are spawned: under fork they would inherit threads, and TensorFlow where paths are remote.
They hand over bytes and facts; the parent serializes and writes.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from library import files
from library.errors import ResourceError
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import RejectedImage
from library.preparation.images import PreparedImage, prepare_image, prepare_pixels
from library.records.listing import Content, LabelledImage, Part, Unusable, read_content

# Images that one message to a worker carries: enough to hide the message's cost, few enough for a
# smooth progress bar.
CHUNK = 8
# Messages under way per worker, so that none waits while the parent writes.
AHEAD = 3

DIED = 'a worker process died (killed, or out of memory); run it again: what is done is kept'

Outcome = PreparedImage | RejectedImage


def prepare(content: Content, encoding: EncodingOptions) -> Outcome:
    """Convert one image to its JPEG or the reason why it has none.

    The pool, Beam and direct sources all come through here.

    Raises:
      OSError: this machine cannot open more files, or has no memory left.
    """
    try:
        if isinstance(content, Unusable):
            raise RejectedImage(content.reason)
        if isinstance(content, str | Part | bytes):
            return prepare_image(
                read_content(content),
                encoding.max_edge,
                encoding.quality,
                encoding.formats,
                encoding.pictures,
                encoding.max_pixels,
            )
        return prepare_pixels(content, encoding.max_edge, encoding.quality, encoding.max_pixels)
    except RejectedImage as rejected:
        return rejected
    except OSError as error:
        if files.is_exhausted(error):
            raise
        return RejectedImage((error.strerror or str(error)).lower())


def prepare_all(
    images: Iterable[LabelledImage], workers: int, encoding: EncodingOptions
) -> Generator[tuple[LabelledImage, Outcome], None, None]:
    """Yield every image with its outcome, in the given order.

    Raises:
      ResourceError: a worker died (killed, or out of memory).
      OSError: this machine cannot open more files.
    """
    waiting: collections.deque[tuple[Sequence[LabelledImage], Future[list[Outcome]]]]
    waiting = collections.deque()
    context = multiprocessing.get_context('spawn')
    try:
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    except BrokenPipeError:
        raise ResourceError(DIED) from None
    images = iter(images)

    def submit(count: int) -> None:
        for _ in range(count):
            chunk = tuple(islice(images, CHUNK))
            if chunk:
                contents = [_content(image) for image in chunk]
                with _without_program():
                    waiting.append((chunk, _submit(pool, contents, encoding)))

    try:
        submit(workers * AHEAD)
        while waiting:
            chunk, future = waiting.popleft()
            outcomes = future.result()
            submit(1)
            yield from zip(chunk, outcomes, strict=True)
    except (BrokenProcessPool, OSError) as error:
        # A worker that could not even start: its pipe is broken, or ('handle is closed', without a
        # number) the pool gave up while others were started.
        if isinstance(error, OSError) and error.errno not in (None, errno.EPIPE):
            raise
        raise ResourceError(DIED) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _submit(
    pool: ProcessPoolExecutor, contents: list[Content], encoding: EncodingOptions
) -> Future[list[Outcome]]:
    try:
        return pool.submit(prepare_chunk, contents, encoding)
    except ValueError:
        # The pool gave up, and closed a pipe, in the midst of starting the next worker.
        raise ResourceError(DIED) from None


@contextlib.contextmanager
def _without_program() -> Iterator[None]:
    """Spare the workers that are started meanwhile the import of the program that starts them.

    A spawned process imports __main__ again; ours is most of what a conversion imports, and workers
    use this module alone.
    """
    program = sys.modules['__main__']
    sys.modules['__main__'] = types.ModuleType('__main__')
    try:
        yield
    finally:
        sys.modules['__main__'] = program


def prepare_chunk(contents: list[Content], encoding: EncodingOptions) -> list[Outcome]:
    """Prepare some images in a worker."""
    return [prepare(content, encoding) for content in contents]


def _content(image: LabelledImage) -> Content:
    """Return a remote image's bytes, as workers have no TensorFlow; otherwise its content."""
    content = image.content
    if isinstance(content, str) and files.is_remote(content):
        try:
            return files.read_bytes(content)
        except FileNotFoundError:
            return Unusable('no such file or directory')
    if isinstance(content, Part) and files.is_remote(content.path):
        return content.read()
    return content


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # libtiff prints lines of its own about damaged files; the report names them.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
