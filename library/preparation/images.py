"""Convert an image file's bytes to an upright RGB JPEG of limited size, or reject it.

Runs in worker processes; imports no TensorFlow. A JPEG that needs no change is kept byte for
byte: encoding it again would cost quality and gain nothing. Of a file with several pictures the
first is taken; what follows it is neither stored nor checked. Besides the pixels only orientation
and colours count: comments and thumbnails are ignored.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, UnidentifiedImageError

from library.preparation.formats import (
    EXTRA_FORMATS,
    FORMATS,
    JPEG_FORMATS,
    MAX_PIXELS,
    RejectedImage,
    has_end,
    one_line,
)
from library.preparation.pictures.background import lay_on
from library.preparation.pictures.changes import ON_BACKGROUND, ONE_COLOUR, TURNED
from library.preparation.pictures.colors import Recoloring, find_recoloring
from library.preparation.pictures.decoded_size import (
    TooLargeImage,
    check_decoded_size,
    check_pixels,
)
from library.preparation.pictures.jpeg_scan import scan_jpeg
from library.preparation.pictures.phone_photos import open_picture
from library.preparation.pictures.picture_options import BEFORE, PictureOptions
from library.preparation.pictures.reading import check_scaled, held_by_levels, read_as_meant
from library.preparation.pictures.side_data import picture_in, without_side_data
from library.preparation.pictures.turning import find_turn
from library.preparation.unwarned import Unwarned

if TYPE_CHECKING:
    import numpy as np

# Doubtful metadata does not matter: the pixels are checked.
UNWARNED = Unwarned()

# The shorter edge of a stored image: below this a picture holds nothing to classify, and an
# extreme shape (1 x 5000) shrinks to nothing.
MIN_EDGE = 8


@dataclass(frozen=True)
class PreparedImage:
    """An upright RGB JPEG.

    Attributes:
      jpeg: the whole file.
      height, width: in pixels.
      reencoded: it is not the file that was given.
      changes: names of what was altered in its pixels, beside their number (pictures/changes.py).
    """

    jpeg: bytes
    height: int
    width: int
    reencoded: bool
    changes: tuple[str, ...] = ()


def prepare_image(
    data: bytes,
    max_edge: int,
    quality: int,
    formats: tuple[str, ...] = FORMATS,
    pictures: PictureOptions = BEFORE,
    max_pixels: int = MAX_PIXELS,
) -> PreparedImage:
    """Decode, turn, flatten and shrink one image.

    Args:
      data: the whole file.
      max_edge: limit of the longer edge in pixels; smaller images keep their size.
      quality: of the JPEG, 1 to 100, where one has to be made.
      formats: what the file may be, out of FORMATS and EXTRA_FORMATS.
      pictures: what its pixels mean.
      max_pixels: how much memory it may take, as `SizeOptions` counts it.

    Raises:
      RejectedImage: empty, no image of these formats, too many pixels, damaged, too small, or its
        pixels do not say which value is white.
      ValueError: a format that is never opened.
    """
    if never := set(formats) - {*FORMATS, *EXTRA_FORMATS}:
        raise ValueError(f'never opened: {", ".join(sorted(never))}')
    if not data:
        raise RejectedImage('empty file')
    with _reasons():
        data = picture_in(data)
        try:
            return _prepare(data, max_edge, quality, formats, pictures, max_pixels)
        except (MemoryError, TooLargeImage):
            raise
        except Exception:
            for rest in without_side_data(data):
                with contextlib.suppress(Exception):
                    return _prepare(rest, max_edge, quality, formats, pictures, max_pixels)
            raise


def prepare_pixels(
    pixels: np.ndarray, max_edge: int, quality: int, max_pixels: int = MAX_PIXELS
) -> PreparedImage:
    """Flatten, shrink and encode pixels that came without a file.

    Args:
      pixels: uint8 [height, width] of grey or [height, width, 3] of RGB, in any memory layout.
      max_edge, quality, max_pixels: as for `prepare_image`.

    Raises:
      RejectedImage: of another shape or type, too many pixels, or too small.
    """
    kind = f'type {pixels.dtype} and shape {list(pixels.shape)}'
    if pixels.dtype != 'uint8' or pixels.ndim < 2 or pixels.shape[2:] not in ((), (3,)):
        raise RejectedImage(f'pixels of {kind}, not uint8 [height, width] or [height, width, 3]')
    with _reasons():
        height, width = pixels.shape[:2]
        check_pixels((width, height), width * height, max_pixels)
        target = _target((width, height), max_edge)
        image, _, changes = _to_rgb(Image.fromarray(pixels), BEFORE, None)
        return _encoded(image, target, None, None, quality, changes)


def check_jpeg(data: bytes) -> None:
    """Raise RejectedImage unless `data` is a JPEG that decodes to its last byte."""
    with _reasons():
        try:
            Image.open(io.BytesIO(data), formats=('JPEG',)).load()
        except UnidentifiedImageError:
            raise RejectedImage('not a JPEG') from None


@contextlib.contextmanager
def _reasons() -> Iterator[None]:
    """Turn whatever goes wrong inside into a RejectedImage of one short line.

    Pillow's plug-ins raise almost anything on damaged input; one file must not end the conversion.
    """
    try:
        with UNWARNED:
            yield
    except RejectedImage:
        raise
    except MemoryError:
        raise RejectedImage('does not fit into memory') from None
    except Exception as error:
        # What a decoder lacks is not the file's fault.
        is_whole = str(error).startswith('Unsupported ')
        what = 'cannot be read' if is_whole else 'damaged'
        raise RejectedImage(f'{what} ({one_line(error)})') from None


def _prepare(
    data: bytes,
    max_edge: int,
    quality: int,
    formats: tuple[str, ...],
    pictures: PictureOptions,
    max_pixels: int,
) -> PreparedImage:
    """Let libjpeg decode at 1/2, 1/4 or 1/8 of the size where that is enough: far less work."""
    image = open_picture(data, formats, max_pixels)
    check_scaled(image, pictures)
    scan = scan_jpeg(data) if image.format in JPEG_FORMATS else None
    if scan is None:
        held = held_by_levels(image, data, pictures)
        check_decoded_size(image, data, max_pixels, image.size, held)
    turn = find_turn(image)
    if not has_end(image, data):
        raise RejectedImage('damaged (image file is truncated: no end mark)')
    size, target = image.size, _target(image.size, max_edge)
    recolor, changes = find_recoloring(image, data, pictures)
    if scan is not None:
        if scan.is_scalable:
            image.draft(image.mode, target)
        check_decoded_size(image, data, max_pixels, size, scan.held_bytes)
        kept = scan.is_common and scan.is_tidy and image.mode == 'RGB'
        if kept and target == size and turn is None and recolor is None:
            image.load()  # to the last byte: a cut file shows only here
            return PreparedImage(data[: scan.end], image.height, image.width, False, changes)
    if turn is not None or image.info.get('turned'):
        changes = (TURNED, *changes)
    meant, more = read_as_meant(image, data, pictures)
    rgb, recolor, others = _to_rgb(meant, pictures, recolor)
    return _encoded(rgb, target, turn, recolor, quality, (*changes, *more, *others))


def _target(size: tuple[int, int], max_edge: int) -> tuple[int, int]:
    """Return width and height to store; raise RejectedImage if an edge gets too short."""
    width, height = target = size
    if max(size) > max_edge:
        scale = max_edge / max(size)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
    if min(target) < MIN_EDGE:
        shrunk = f', {target[0]}x{target[1]} when shrunk' if target != size else ''
        raise RejectedImage(f'{width}x{height}{shrunk}: an edge is under {MIN_EDGE} pixels')
    return target


def _to_rgb(
    image: Image.Image, pictures: PictureOptions, recolor: Recoloring | None
) -> tuple[Image.Image, Recoloring | None, tuple[str, ...]]:
    """Convert to three channels, transparency laid on a background.

    Adobe's JPEGs hold inverted ink, and say so by a marker; Pillow takes every JPEG for Adobe's.

    Returns:
      The image, what still has to be done to its colours (cheaper once it is small; until then it
      keeps its own channels), and what was changed here.
    """
    image.load()
    not_adobe = image.format in JPEG_FORMATS and 'adobe_transform' not in image.info
    if image.mode == 'CMYK' and not_adobe:
        image = ImageChops.invert(image)
    elif image.mode == 'La':
        image = image.convert('LA')
    changes: tuple[str, ...] = ()
    if image.has_transparency_data:
        if recolor is not None:  # the background is given in sRGB
            image, changes, recolor = recolor(image), (recolor.change,), None
        image, shows = lay_on(image, pictures.background)
        if shows:
            changes = (*changes, ON_BACKGROUND, *[ONE_COLOUR] * bool(image.getcolors(1)))
    mode = recolor.mode if recolor is not None else 'RGB'
    return image if image.mode == mode else image.convert(mode), recolor, changes


def _encoded(
    image: Image.Image,
    target: tuple[int, int],
    turn: Image.Transpose | None,
    recolor: Recoloring | None,
    quality: int,
    changes: tuple[str, ...],
) -> PreparedImage:
    """Shrink with Hamming: as sharp as bilinear filters get, and a third cheaper than bicubic."""
    if image.size != target:
        image = image.resize(target, Image.Resampling.HAMMING)
    if recolor is not None:
        image, changes = recolor(image), (*changes, recolor.change)
    if turn is not None:
        image = image.transpose(turn)
    encoded = io.BytesIO()
    image.save(encoded, 'JPEG', quality=quality, exif=b'', comment=b'')
    return PreparedImage(encoded.getvalue(), image.height, image.width, True, changes)
