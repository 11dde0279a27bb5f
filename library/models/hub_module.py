"""A module's handle to a folder on disk, and what its file says before anything is loaded."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tarfile
import tempfile
import urllib.error
import zlib
from dataclasses import dataclass

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2, struct_pb2
from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObjectGraph

from library.errors import MismatchError, ResourceError

ARCHIVE_ENDINGS = ('.tar.gz', '.tgz')
# TensorFlow's own default is a temporary folder, which systems clean half and modules break by.
DEFAULT_CACHE = os.path.join('~', '.cache', 'tfhub_modules')


@dataclass(frozen=True)
class ModuleInfo:
    """What saved_model.pb says.

    Attributes:
      image_size: edge of the square input in pixels; None if any size goes.
      is_tf1: written by TensorFlow 1's hub format, which cannot be fine-tuned.
    """

    image_size: int | None
    is_tf1: bool


def fetch_module(handle: str, cache_dir: str | None = None, sha256: str | None = None) -> str:
    """The folder of a module, unpacked or downloaded on first use.

    Args:
      handle: a local folder, a local .tar.gz, or an address that tensorflow-hub resolves.
      cache_dir: where archives are unpacked and downloads kept; None is $TFHUB_CACHE_DIR or
        ~/.cache/tfhub_modules.
      sha256: the digest that a local archive must have.

    Returns:
      A folder that holds saved_model.pb.

    Raises:
      ResourceError: the module is missing, damaged or out of reach.
    """
    cache = cache_dir or os.environ.get('TFHUB_CACHE_DIR') or os.path.expanduser(DEFAULT_CACHE)
    handle = handle.removeprefix('file://')
    if '://' in handle:
        folder = _download(handle, cache)
    elif os.path.isfile(handle):
        folder = _unpack(handle, cache, sha256)
    elif os.path.isdir(handle):
        folder = handle
    else:
        raise ResourceError(f'{handle}: no such module (a folder, a .tar.gz or an address)')
    if not tf.io.gfile.exists(os.path.join(folder, 'saved_model.pb')):
        raise ResourceError(f'{folder}: no saved_model.pb; the module is incomplete{_mend(handle)}')
    return folder


def inspect_module(folder: str) -> ModuleInfo:
    """Reads saved_model.pb, which takes a hundredth of the time of loading the module.

    Raises:
      ResourceError: the file is damaged.
      MismatchError: the module takes no batch of square RGB images.
    """
    saved_model = saved_model_pb2.SavedModel()
    try:
        with tf.io.gfile.GFile(os.path.join(folder, 'saved_model.pb'), 'rb') as file:
            saved_model.ParseFromString(file.read())
        graph = saved_model.meta_graphs[0]
    except (DecodeError, IndexError):
        raise ResourceError(f'{folder}: saved_model.pb is damaged') from None
    is_tf1 = not graph.object_graph_def.nodes
    shapes = _tf1_shapes(graph) if is_tf1 else _call_shapes(graph.object_graph_def)
    for shape in shapes:
        if len(shape) == 4 and shape[3] in (3, -1):
            if shape[1] != shape[2]:
                raise MismatchError(f'{folder}: takes images of {shape[1]}x{shape[2]}, not square')
            return ModuleInfo(shape[1] if shape[1] > 0 else None, is_tf1)
    raise MismatchError(f'{folder}: takes no batch of RGB images [batch, height, width, 3]')


def _call_shapes(objects: SavedObjectGraph) -> list[list[int]]:
    """Shapes of the tensors that the module's __call__ takes, over all its traces."""
    children = {child.local_name: child.node_id for child in objects.nodes[0].children}
    if '__call__' not in children:
        return []
    function = objects.nodes[children['__call__']].function
    shapes: list[list[int]] = []
    for name in function.concrete_functions:
        _collect(objects.concrete_functions[name].canonicalized_input_signature, shapes)
    return shapes


def _collect(value: struct_pb2.StructuredValue, shapes: list[list[int]]) -> None:
    """Gathers the shapes of all tensors in a nest, -1 for a free dimension."""
    kind = value.WhichOneof('kind')
    if kind == 'tensor_spec_value' and not value.tensor_spec_value.shape.unknown_rank:
        shapes.append([dimension.size for dimension in value.tensor_spec_value.shape.dim])
    elif kind in ('tuple_value', 'list_value'):
        for each in getattr(value, kind).values:
            _collect(each, shapes)
    elif kind == 'dict_value':
        for each in value.dict_value.fields.values():
            _collect(each, shapes)


def _tf1_shapes(graph: tf.compat.v1.MetaGraphDef) -> list[list[int]]:
    inputs = graph.signature_def['default'].inputs.values()
    return [[dimension.size for dimension in each.tensor_shape.dim] for each in inputs]


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
    """Unpacks a local archive into a folder named by its digest, once."""
    with open(archive, 'rb') as file:
        digest = hashlib.file_digest(file, 'sha256').hexdigest()
    if sha256 and digest != sha256.lower():
        raise ResourceError(f'{archive}: its sha256 is {digest}, not --module_sha256 {sha256}')
    target = os.path.join(cache, digest)
    if not os.path.isdir(target):
        os.makedirs(cache, exist_ok=True)
        partial = tempfile.mkdtemp(prefix=f'{digest}.', dir=cache)
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


def _extract(archive: str, folder: str) -> None:
    """Extracts plain files and folders; a member that would leave the folder is refused."""
    try:
        with tarfile.open(archive, 'r:gz') as tar:
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
                with open(os.path.join(folder, path), 'wb') as file:
                    shutil.copyfileobj(tar.extractfile(member), file)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ResourceError(f'{archive}: the archive is damaged ({error})') from None


def _through_wrapper(folder: str) -> str:
    """Archives often wrap the module in one folder."""
    names = os.listdir(folder)
    if len(names) == 1 and os.path.isdir(os.path.join(folder, names[0])):
        return os.path.join(folder, names[0])
    return folder


def _mend(handle: str) -> str:
    return '; delete the folder and run again' if '://' in handle else ''
