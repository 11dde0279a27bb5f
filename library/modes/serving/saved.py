"""Load an exported model into one session, from encoded images to names of classes.

A SavedModel is a program: load only what you trust. Nothing in it is Python, but TensorFlow runs
whatever operations it holds.
"""

from __future__ import annotations

import tensorflow as tf

from library import files
from library.errors import ConfigError, MismatchError
from library.modes.serving.predictor import Predictor
from library.runs.kept_values import read_saved
from library.runs.metadata import SAVED_AS, Run, kept_metadata

SIGNATURE = 'serving_default'
INPUT = 'image_bytes'
OUTPUTS = ('classes', 'probabilities')
# The file that TensorFlow knows a SavedModel by, and the folder of what was put beside it.
PROGRAM = 'saved_model.pb'
ASSETS = 'assets'
FACTS = ('class_names', 'stored_max_edge', 'stored_quality', 'stored_pictures')


class SavedModelGraph(Predictor):
    """The graph of an exported model.

    Attributes:
      folder: of the version that was loaded.
      signatures: by name, what the model can be asked, as TensorFlow's SignatureDefs.
    """

    def __init__(self, folder: str, config: tf.compat.v1.ConfigProto | None = None):
        """Load the model.

        Args:
          folder: of a SavedModel, or of its versions, of which the newest counts.
          config: of the session.

        Raises:
          ConfigError: there is no SavedModel.
          MismatchError: it is damaged, or cannot be asked about encoded images.
        """
        self.folder = newest_version(folder)
        super().__init__(config)

    def _fill(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        self.signatures = self._load()
        signature = self.signatures.get(SIGNATURE)
        inputs = dict(signature.inputs) if signature else {}
        outputs = dict(signature.outputs) if signature else {}
        known = set(inputs) == {INPUT} and set(OUTPUTS) <= set(outputs)
        if not known or tf.as_dtype(inputs[INPUT].dtype) != tf.string:
            raise MismatchError(
                f'{self.folder}: has no signature {SIGNATURE} from {INPUT} to '
                f'{" and ".join(OUTPUTS)}; was it exported by run.py export?'
            )
        tensor = self.graph.get_tensor_by_name
        classes, probabilities = (tensor(outputs[name].name) for name in OUTPUTS)
        return tensor(inputs[INPUT].name), classes, probabilities

    def _load(self) -> dict[str, tf.compat.v1.SignatureDef]:
        """Restore everything; return the signatures."""
        try:
            loaded = tf.compat.v1.saved_model.load(
                self.session, [tf.saved_model.SERVING], self.folder
            )
        # A damaged file, other tags, an unknown operation, missing variables: all sorts are raised.
        except (tf.errors.OpError, OSError, RuntimeError, ValueError, KeyError) as error:
            reason = ' '.join(str(error).split())[:200]
            raise MismatchError(f'{self.folder}: cannot be loaded ({reason})') from None
        return dict(loaded.signature_def)


def newest_version(folder: str) -> str:
    """Find the folder of a SavedModel: itself, or the one below it with the highest number.

    Raises:
      ConfigError: there is none.
    """
    if files.exists(files.join(folder, PROGRAM)):
        return folder
    for name in sorted(filter(_is_number, files.names_in(folder)), key=int, reverse=True):
        if files.exists(files.join(folder, name, PROGRAM)):
            return files.join(folder, name)
    what = 'no SavedModel there' if files.is_folder(folder) else 'no such folder'
    raise ConfigError(f'{folder}: {what} (--saved_model)')


def metadata_of_export(folder: str) -> Run:
    """Read what the run knew whose model was exported.

    Args:
      folder: of the SavedModel.

    Returns:
      The class names, and how the training images are stored.

    Raises:
      MismatchError: the model does not tell.
    """
    assets = files.join(folder, ASSETS)
    saved = read_saved(assets) or {}
    run = kept_metadata(saved, FACTS)
    if not run.class_names:
        raise MismatchError(
            f'{files.join(assets, SAVED_AS)}: does not name the classes, nor how images have to be '
            f'prepared; was the model exported by run.py export?'
        )
    return run


def _is_number(name: str) -> bool:
    # Longer ones than any time in seconds or microseconds are no versions.
    return name.isascii() and name.isdigit() and len(name) < 20
