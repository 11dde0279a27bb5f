"""Bytes of one image file to an upright RGB JPEG no larger than asked, or the reason why not.

Runs in worker processes; imports no TensorFlow. A JPEG that needs no change is kept byte for
byte: encoding it again would cost quality and gain nothing.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import ExifTags, Image

# What may be opened at all. Pillow knows 40 formats; some run other programs (EPS starts
# Ghostscript), so a format is named here or never tried.
FORMATS = ('JPEG', 'PNG')

# Where Pillow itself starts to warn of decompression bombs: 256 MiB of RGB.
MAX_PIXELS = 89_478_485

# The shorter edge of a stored image: below this a picture holds nothing to classify, and an
# extreme shape (1 x 5000) shrinks to nothing.
MIN_EDGE = 8

# What brings an image upright, by its EXIF orientation. ImageOps.exif_transpose does the same, but
# writes the other tags anew as well, and fails on odd ones.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Our own limit is checked before decoding and gives a reason of its own.
Image.MAX_IMAGE_PIXELS = None


class RejectedImage(Exception):
    """The file cannot become a record; the message is the reason for the report."""


@dataclass(frozen=True)
class PreparedImage:
    """An upright RGB JPEG with its size in pixels, and whether it was encoded anew."""

    jpeg: bytes
    height: int
    width: int
    reencoded: bool


def prepare_image(data: bytes, max_edge: int, quality: int) -> PreparedImage:
    """Decodes, turns, flattens and shrinks one image.

    Args:
      data: the whole file.
      max_edge: limit of the longer edge in pixels; smaller images keep their size.
      quality: of the JPEG, 1 to 100, where one has to be made.

    Raises:
      RejectedImage: empty, no image of a known format, too many pixels, damaged, or too small.
    """
    if not data:
        raise RejectedImage('empty file')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # doubtful metadata; the pixels are checked below
            return _prepare(data, max_edge, quality)
    except RejectedImage:
        raise
    except MemoryError:
        raise RejectedImage('does not fit into memory') from None
    # Pillow's plug-ins raise about anything on damaged input; one file must not end the whole.
    except Exception as error:
        raise RejectedImage(f'damaged ({" ".join(str(error).split())[:120]})') from None


def check_jpeg(data: bytes) -> None:
    """Raises RejectedImage unless `data` is a JPEG that decodes to its last byte."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            Image.open(io.BytesIO(data), formats=('JPEG',)).load()
    except Image.UnidentifiedImageError:
        raise RejectedImage('not a JPEG') from None
    # As above: damaged input raises about anything.
    except Exception as error:
        raise RejectedImage(f'damaged ({" ".join(str(error).split())[:120]})') from None


def _prepare(data: bytes, max_edge: int, quality: int) -> PreparedImage:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError:
        raise RejectedImage(f'not an image ({" or ".join(FORMATS)})') from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise RejectedImage(f'{width}x{height} is more than {MAX_PIXELS} pixels')
    scale = min(1.0, max_edge / max(width, height))
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    if min(target) < MIN_EDGE:
        shrunk = f', {target[0]}x{target[1]} when shrunk' if scale < 1 else ''
        raise RejectedImage(f'{width}x{height}{shrunk}: an edge is under {MIN_EDGE} pixels')

    turn = _turn(image)
    if image.format == 'JPEG' and image.mode == 'RGB' and scale == 1.0 and turn is None:
        image.load()  # to the last byte: a cut file shows only here
        return PreparedImage(data, height, width, reencoded=False)
    if image.mode == 'CMYK' and 'adobe' not in image.info:
        raise RejectedImage('CMYK without the Adobe marker: its colours are ambiguous')
    if scale < 1.0 and image.format == 'JPEG':
        # libjpeg decodes at 1/2, 1/4 or 1/8: far less work when the source is much larger.
        image.draft(image.mode, target)
    image.load()
    image = _to_rgb(image)
    if scale < 1.0:
        # Hamming is as sharp as bilinear filters get and a third cheaper than bicubic.
        image = image.resize(target, Image.Resampling.HAMMING)
    if turn is not None:
        image = image.transpose(turn)
    encoded = io.BytesIO()
    image.save(encoded, 'JPEG', quality=quality, exif=b'', comment=b'')
    return PreparedImage(encoded.getvalue(), image.height, image.width, reencoded=True)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What brings the image upright, if anything has to; broken metadata says nothing."""
    if image.format == 'PNG':
        image.load()  # the tag may stand behind the pixels, and damage to those must show
    try:
        return UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation))
    # Pillow raises about anything here too, and the picture itself may be whole.
    except Exception:
        return None


def _to_rgb(image: Image.Image) -> Image.Image:
    """Three channels of eight bits: 16-bit grey scaled down, transparency laid on white."""
    if image.mode.startswith('I'):
        # convert('L') would clip 16 bits at 255 instead of scaling them.
        image = image.convert('I').point(lambda value: value * (1 / 257) + 0.5).convert('L')
    if image.has_transparency_data:
        image = image.convert('RGBA')
        white = Image.new('RGBA', image.size, 'white')
        image = Image.alpha_composite(white, image)
    return image if image.mode == 'RGB' else image.convert('RGB')
