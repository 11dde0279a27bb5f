"""Read some files of a .tar.gz, none of which is written to disk.

The headers are read here and not by tarfile, which takes a long name, however long it claims to be,
into memory. What a member's name, link or owner could do when unpacked never matters.
"""

from __future__ import annotations

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Collection, Iterator

from library import files
from library.errors import DataError

# Of what is unpacked: 1 GB takes seconds to skip, and compresses to 1 MB.
MAX_TOTAL = 1 << 29

_PIECE = 1 << 20
_WITHOUT_CONTENT = frozenset(
    [
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.DIRTYPE,
        tarfile.FIFOTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
    ]
)


def read_members(
    archive: str, folder: str, names: Collection[str], max_bytes: int
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the regular files FOLDER/NAME, in the archive's order.

    Args:
      archive: a .tar.gz, local or remote.
      folder: that the files must lie in, with nothing above it.
      names: of the files; others are skipped.
      max_bytes: the longest that such a file may be.

    Raises:
      DataError: the archive is damaged, cut off or too large.
    """
    wanted = {f'{folder}/{name}': name for name in names}
    try:
        with files.open_binary(archive) as raw, gzip.GzipFile(fileobj=raw, mode='rb') as stream:
            while (member := _header(stream)) is not None:
                path = posixpath.normpath(member.name)
                is_file = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
                if path in wanted and is_file:
                    if member.size > max_bytes:
                        raise DataError(f'{archive}: {path} claims {member.size} bytes')
                    yield wanted[path], _read(stream, member.size)
                    _skip(stream, -member.size % tarfile.BLOCKSIZE)
                elif member.type not in _WITHOUT_CONTENT:
                    _skip(stream, member.size + -member.size % tarfile.BLOCKSIZE)
            # Only at its end does gzip show whether all that was read is right.
            while stream.read(_PIECE):
                _check_total(stream.tell())
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f'{archive}: the archive is damaged ({error})') from None


def _header(stream: gzip.GzipFile) -> tarfile.TarInfo | None:
    """Read the next member's header; None behind the last."""
    block = stream.read(tarfile.BLOCKSIZE)
    if not block or not any(block):
        return None
    member = tarfile.TarInfo.frombuf(block, 'utf-8', 'surrogateescape')
    if member.size < 0:
        raise tarfile.ReadError('a member has less than no bytes')
    _check_total(stream.tell() + member.size)
    return member


def _read(stream: gzip.GzipFile, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError('cut off')
    return content


def _skip(stream: gzip.GzipFile, size: int) -> None:
    while size:
        size -= len(_read(stream, min(size, _PIECE)))


def _check_total(size: int) -> None:
    if size > MAX_TOTAL:
        raise tarfile.ReadError(f'more than {MAX_TOTAL} bytes unpacked')
