"""Turn a module's handle into a folder: archives are unpacked, addresses downloaded, once."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import tarfile
import tempfile
import urllib.error
import zlib

import tensorflow as tf

from library import files
from library.errors import ConfigError, ResourceError

# TensorFlow's own default is a temporary folder, which systems clean half and modules break by.
DEFAULT_CACHE = os.path.join('~', '.cache', 'tfhub_modules')


def fetch_module(handle: str, cache_dir: str | None = None, sha256: str | None = None) -> str:
    """Find the folder of a module; it is unpacked or downloaded on first use.

    Args:
      handle: a folder or a .tar.gz, local or in a bucket (gs://), or an address that
        tensorflow-hub resolves.
      cache_dir: where archives are unpacked and downloads kept; None is $TFHUB_CACHE_DIR or
        ~/.cache/tfhub_modules.
      sha256: the digest that an archive must have.

    Returns:
      A folder that holds saved_model.pb.

    Raises:
      ConfigError: a digest is asked for, and the handle is no archive.
      ResourceError: the module is missing, damaged or out of reach.
    """
    cache = cache_dir or os.environ.get('TFHUB_CACHE_DIR') or DEFAULT_CACHE
    cache = os.path.expanduser(cache)
    handle = os.path.expanduser(handle.removeprefix('file://'))
    if sha256 and not _is_archive(handle):
        raise ConfigError(f'--module_sha256 pins a .tar.gz module, and {handle} is none')
    if _is_archive(handle):
        folder = _unpack(handle, cache, sha256)
    elif files.is_remote(handle):
        folder = _download(handle, cache)
    elif os.path.isdir(handle):
        folder = handle
    else:
        raise ResourceError(f'{handle}: no such module (a folder, a .tar.gz or an address)')
    if not tf.io.gfile.exists(os.path.join(folder, 'saved_model.pb')):
        hint = '' if folder == handle else '; delete the folder and run again'
        raise ResourceError(f'{folder}: no saved_model.pb; the module is incomplete{hint}')
    return folder


def _is_archive(handle: str) -> bool:
    """Return whether it is a local file, or an archive in a bucket: tensorflow-hub pins neither."""
    if not files.is_remote(handle):
        return os.path.isfile(handle)
    in_bucket = handle.split('://')[0] in files.SCHEMES
    return in_bucket and handle.endswith(('.tar.gz', '.tgz')) and files.exists(handle)


def _download(handle: str, cache: str) -> str:
    os.makedirs(cache, exist_ok=True)
    os.environ['TFHUB_CACHE_DIR'] = cache
    key = hashlib.sha1(handle.encode('utf8')).hexdigest()  # tensorflow-hub's own name for it
    lock = os.path.join(cache, f'{key}.lock')
    if os.path.exists(lock):
        logging.getLogger(__name__).warning(
            'waiting for another download of %s (up to 10 minutes; if there is none, delete %s)',
            handle,
            lock,
        )
    import tensorflow_hub as hub

    try:
        return str(hub.resolve(handle))
    except (urllib.error.URLError, tf.errors.OpError, OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, 'reason', None) or str(error).splitlines()[0]
        raise ResourceError(
            f'{handle}: the module cannot be fetched into {cache} ({reason}); without a network '
            f'pass --module with a local folder or .tar.gz'
        ) from None


def _unpack(archive: str, cache: str, sha256: str | None) -> str:
    """Unpack an archive into a local folder named by its digest, once."""
    digest = _digest_in_bucket(archive) if files.is_remote(archive) else files.digest(archive)[1]
    if sha256 and digest != sha256.lower():
        raise ResourceError(f'{archive}: its sha256 is {digest}, not --module_sha256 {sha256}')
    target = os.path.join(cache, digest)
    if not os.path.isdir(target):
        os.makedirs(cache, exist_ok=True)
        partial = tempfile.mkdtemp(prefix=f'{digest}.', dir=cache)
        os.chmod(partial, 0o755)  # others of this machine may share the cache
        try:
            _extract(archive, partial)
            os.rename(partial, target)
        except OSError:
            # Another run was faster; a folder in the way is the same module.
            if not os.path.isdir(target):
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return _through_wrapper(target)


# Every graph and replica asks for the module, and each digest would download all of it.
@functools.lru_cache(maxsize=4)
def _digest_in_bucket(archive: str) -> str:
    return files.digest(archive)[1]


def _extract(archive: str, folder: str) -> None:
    """Extract plain files and folders; a member that would leave the folder is refused."""
    try:
        with files.open_binary(archive) as file, tarfile.open(fileobj=file, mode='r:gz') as tar:
            for member in tar:
                path = os.path.normpath(member.name)
                if os.path.isabs(path) or path.split(os.sep)[0] == '..':
                    raise ResourceError(f'{archive}: the member {member.name!r} leaves the folder')
                if not (member.isfile() or member.isdir()):
                    raise ResourceError(f'{archive}: the member {member.name!r} is a link')
                if member.isdir():
                    os.makedirs(os.path.join(folder, path), exist_ok=True)
                    continue
                os.makedirs(os.path.join(folder, os.path.dirname(path)), exist_ok=True)
                content = tar.extractfile(member)
                assert content is not None, 'a plain file has content'
                with content, open(os.path.join(folder, path), 'wb') as target:
                    shutil.copyfileobj(content, target)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ResourceError(f'{archive}: the archive is damaged ({error})') from None


def _through_wrapper(folder: str) -> str:
    """Return the folder of the module, which archives often wrap in another one."""
    names = os.listdir(folder)
    if len(names) == 1 and os.path.isdir(os.path.join(folder, names[0])):
        return os.path.join(folder, names[0])
    return folder
