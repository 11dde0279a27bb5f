"""Tell image files from others by what they begin with, and from files of other programs.

A name says little: downloads are called `photo.jpg?w=200` or have no ending at all. Imports no
TensorFlow.
"""

from __future__ import annotations

import os
import re

from library import files
from library.preparation.formats import IMAGE_ENDINGS
from library.preparation.pictures import unread_kinds

# As many bytes as the marks below need.
START = 32

# What files of each format begin with: a picture that cannot be read is reported, not overlooked.
# Marks that a text might begin with, such as BM, are followed by what a header goes on with.
_IMAGE_START = re.compile(
    rb'\xff\xd8\xff'  # JPEG, MPO
    rb'|\x89PNG\r\n\x1a\n'
    rb'|GIF8[79]a'
    rb'|RIFF.{4}WEBP'
    rb'|II[*+]\0|MM\0[*+]|II\0\*|MM\*\0'  # TIFF, BigTIFF, and what Pillow takes for them
    rb'|BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0'
    rb'|.{4}ftyp(avi[fs]|hei[cmsx]|hev[cmsx]|mif1|msf1)'  # AVIF, HEIC
    rb'|\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51'  # JPEG 2000
    rb'|P[1-6]\s+[\d#]'  # PPM
    rb'|\n[\0\2\3\5][\0\1][\1\2\4\b]'  # PCX
    rb'|\x01\xda[\0\1][\1\2]\0[\1-\3]',  # SGI
    re.DOTALL,
)

# ZIP, RAR, 7z, gzip, bzip2, xz; the mark of tar stands further in.
_ARCHIVE_START = re.compile(
    rb'PK\x03\x04|PK\x05\x06|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x1f\x8b\x08|BZh\d|\xfd7zXZ\0'
)
_TAR_MARK, _TAR_MARK_AT = b'ustar', 257

# What systems, network drives and viewers leave in folders of pictures, beside names with a dot.
_TOOL_NAMES = frozenset(
    [
        '@eadir',
        '@__thumb',
        '@recycle',
        '@recently-snapshot',
        '@tmp',
        '#recycle',
        '#snapshot',
        '$recycle.bin',
        '__macosx',
        '__pycache__',
        'desktop.ini',
        'ehthumbs.db',
        'icon\r',
        'lost+found',
        'picasa.ini',
        'system volume information',
        'thumbs.db',
    ]
)


def has_image_ending(path: str) -> bool:
    """Return True for a name that claims to be one of an image."""
    return os.path.splitext(path)[1].lower() in IMAGE_ENDINGS


def is_image_file(path: str) -> bool:
    """Return True for a file that claims to be an image or begins like one; the latter is opened.

    Args:
      path: of a regular file, local or remote.

    Raises:
      OSError: this machine cannot open more files, or has no memory left.
    """
    return has_image_ending(path) or bool(_IMAGE_START.match(_start(path, START)))


def is_archive(path: str) -> bool:
    """Return True for a ZIP, RAR, 7z or TAR file, compressed or not, whatever it is called."""
    start = _start(path, _TAR_MARK_AT + len(_TAR_MARK))
    return bool(_ARCHIVE_START.match(start)) or start[_TAR_MARK_AT:] == _TAR_MARK


def is_of_other_program(name: str) -> bool:
    """Return True for what no person put into a folder of pictures, such as .DS_Store or @eaDir."""
    return name.startswith('.') or name.lower() in _TOOL_NAMES


def ending_of(name: str) -> str:
    """Return the ending in lower case with its dot; '' where there is none that could be one."""
    found = re.search(r'[^.](\.[a-z0-9_-]{1,10})([?#&].*)?$', name.lower(), re.DOTALL)
    return found[1] if found else ''


def told_kind(path: str) -> str | None:
    """Return what a file is that holds a picture but is not read here; None for other files."""
    return unread_kinds.unread_kind(_start(path, unread_kinds.START))


def _start(path: str, length: int) -> bytes:
    """Return the first bytes of a file; b'' where it cannot be read."""
    try:
        with files.open_binary(path) as file:
            return bytes(file.read(length))
    # Of a remote store about anything, and TensorFlow may not be here.
    except Exception as error:
        if isinstance(error, OSError) and files.is_exhausted(error):
            raise
        return b''
