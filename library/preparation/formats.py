"""Open image files of the accepted formats, and check what the header alone shows.

Imports no TensorFlow. It corrects what Pillow reads differently from what the file means.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable
from typing import Any

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from library.preparation.pictures.tiff_files import why_not_opened
from library.preparation.pictures.unread_kinds import RAW, START, unread_kind

# What may be opened at all. Pillow knows 40 formats; some run other programs (EPS starts
# Ghostscript), so a format is named here or never tried.
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'AVIF', 'HEIF')

# Opened only if the caller names them: JPEG 2000 of archives, PPM, PCX and SGI of old collections.
# Pillow itself reads each, by the mark that it starts with; TGA has no mark.
EXTRA_FORMATS = ('JPEG2000', 'PPM', 'PCX', 'SGI')

# Files of these endings, in any case, count as images of a folder: a bad one, or one of a format
# that is not opened, is reported as rejected. Other files are named as ignored.
IMAGE_ENDINGS = frozenset(
    [
        '.jpg',
        '.jpeg',
        '.jpe',
        '.jfif',
        '.mpo',
        '.png',
        '.apng',
        '.webp',
        '.bmp',
        '.dib',
        '.gif',
        '.tif',
        '.tiff',
        '.avif',
        '.heic',
        '.heif',
        '.hif',
        '.jp2',
        '.j2k',
        '.ico',
        '.tga',
        '.ppm',
        '.pgm',
        '.pbm',
        '.pnm',
        '.pcx',
        '.sgi',
        '.rgb',
        '.bw',
        '.j2c',
        '.jpf',
        '.jpx',
    ]
)

# Pixels of RGB of 8 bits that an image may count for, unless --max_pixels says so: 256 MiB, where
# Pillow itself starts to warn of decompression bombs.
MAX_PIXELS = 89_478_485

# PNG writes its one transparent colour in the bits of the file, and Pillow scales the pixels alone:
# what has to be done to that colour, by how the pixels are packed.
TRANSPARENT_COLOR: dict[str, Callable[[Any], Any]] = {
    'L;2': lambda value: value * 85,
    'L;4': lambda value: value * 17,
    'I;16B': lambda value: int(value / 257 + 0.5),
    'RGB;16B': lambda values: tuple(value >> 8 for value in values),
}

# Tags of TIFF by which a camera's raw file is known, whose first picture is a preview.
NEW_SUBFILE_TYPE, SUB_IFDS, DNG_VERSION = 254, 330, 50706
# What follows the first four bytes of a CR2.
CR2_MARK = b'\x10\0\0\0CR\2\0'

# What stands at the end of a whole file and decoders do without. (JPEG has a search of its own.)
END_MARKS = {'PNG': b'IEND', 'JPEG2000': b'\xff\xd9'}

# MPO is Pillow's name for a JPEG with more pictures behind it, as phones write it.
JPEG_FORMATS = ('JPEG', 'MPO')

# Bytes that something may have put before a JPEG; documents and films hold others further in.
NEAR = 64

# Held while Python's warnings are caught, which are those of all threads.
_CATCHING = threading.Lock()

# Our own limit is checked before decoding and gives a reason of its own.
Image.MAX_IMAGE_PIXELS = None
# Says why a file that starts like an image could not be opened.
Image.WARN_POSSIBLE_FORMATS = True
# Pillow's own reader of plain TIFFs leaves missing strips black, and takes colours stored at half
# the size of the picture for whole ones.
TiffImagePlugin.READ_LIBTIFF = True


class RejectedImage(Exception):
    """The file cannot become a record; the message is the reason for the report."""


def _opens(data: bytes, name: str) -> bool:
    try:
        Image.open(io.BytesIO(data), formats=(name,)).close()
    # Pillow raises almost anything where the header is damaged.
    except Exception:
        return False
    return True


def open_image(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Read the header of an image file, no pixel.

    Args:
      data: the whole file.
      formats: what it may be.

    Raises:
      RejectedImage: it is something else. Pillow raises almost anything where the header is
        damaged.
    """
    # One thread at a time: warnings are caught for all threads.
    with _CATCHING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        try:
            # HEIF is not Pillow's (pictures/heif.py).
            known = [name for name in formats if name != 'HEIF']
            image = Image.open(io.BytesIO(data), formats=known)
        except UnidentifiedImageError:
            for warning in caught:
                name, failed, why = str(warning.message).partition(' opening failed. ')
                if failed and name == 'TIFF':
                    raise RejectedImage(why_not_opened(data, one_line(why))) from None
                if failed:
                    raise RejectedImage(f'cannot be read ({one_line(f"{name}: {why}")})') from None
            if told := unread_kind(data[:START]):
                raise RejectedImage(told) from None
            if (place := data.find(b'\xff\xd8\xff', 0, NEAR)) > 0:
                raise RejectedImage(f'a JPEG behind {place} other bytes') from None
            names = ' or '.join(', '.join(formats).rsplit(', ', 1))
            rare = [name for name in EXTRA_FORMATS if name not in formats and _opens(data, name)]
            way = f', but {rare[0]} (convert_dataset.py --extra_formats {rare[0]})' if rare else ''
            raise RejectedImage(f'not an image ({names}){way}') from None
    if image.format == 'PNG' and 'transparency' in image.info:
        packing = image.tile[0].args
        if isinstance(packing, str) and packing in TRANSPARENT_COLOR:
            scaled = TRANSPARENT_COLOR[packing]
            image.info['transparency'] = scaled(image.info['transparency'])
    _check_header(image, data[:12])
    return image


def _check_header(image: Image.Image, start: bytes) -> None:
    """Raises RejectedImage if the header alone says that the pixels are not worth decoding.

    A TIFF's first picture may be the preview of a camera's raw file.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_raw(image, start):
        raise RejectedImage(RAW)


def _is_raw(image: TiffImagePlugin.TiffImageFile, start: bytes) -> bool:
    """True for DNG, CR2, and what begins with a preview of inner pictures, as NEF and ARW do."""
    is_preview = image.tag_v2.get(NEW_SUBFILE_TYPE, 0) & 1 and SUB_IFDS in image.tag_v2
    return bool(DNG_VERSION in image.tag_v2 or is_preview or start[4:] == CR2_MARK)


def has_end(image: Image.Image, data: bytes) -> bool:
    """Return False if the mark is missing that ends every whole file of this format."""
    return END_MARKS.get(image.format or '', b'') in data


def one_line(message: object) -> str:
    """Shorten a message of third-party code to one line."""
    return ' '.join(str(message).split())[:120]
