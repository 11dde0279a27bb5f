"""Find what brings a picture upright, by the orientation that its file tells."""

from __future__ import annotations

from PIL import ExifTags, Image, TiffImagePlugin

from library.preparation.formats import JPEG_FORMATS, RejectedImage
from library.preparation.pictures.tiff_files import why_not_decoded

# What brings an image upright, by its EXIF orientation.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def find_turn(image: Image.Image) -> Image.Transpose | None:
    """Return what brings an image upright, if anything; `info['turned']` if its decoder did.

    Args:
      image: was opened; all but JPEGs are loaded here.

    Raises:
      RejectedImage: a TIFF holds what Pillow cannot decode.
      Exception: whatever Pillow raises for damaged pixels.
    """
    try:
        return _turn(image)
    except OSError as error:
        if reason := why_not_decoded(image, error):
            raise RejectedImage(reason) from None
        raise


def _turn(image: Image.Image) -> Image.Transpose | None:
    """Return what brings the image upright, if anything; ignore broken metadata.

    A PNG's tag may stand behind its pixels, and Pillow turns a TIFF itself on loading: so all are
    loaded here but JPEGs, which their decoder may still shrink. ImageOps.exif_transpose would write
    the other tags anew as well, and fails on odd ones.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        image.info['turned'] = image.tag_v2.get(ExifTags.Base.Orientation) in UPRIGHT
    # Where EXIF is silent Pillow asks the metadata of Adobe's programs, as other decoders do not.
    image.info.pop('xmp', None)
    if image.format not in JPEG_FORMATS:
        image.load()
    if image.format == 'TIFF':
        return None
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
        return None if orientation is None else UPRIGHT.get(orientation)
    except Exception:  # about anything, and the picture itself may be whole
        return None
