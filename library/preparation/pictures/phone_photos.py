"""Open the formats of phones, AVIF and HEIF, each by its own decoder.

Both are the same container, and Pillow's reader of AVIF claims what it cannot decode: their brands
decide.
"""

from __future__ import annotations

from PIL import Image

from library.preparation.formats import RejectedImage, check_size, open_image
from library.preparation.pictures.boxes import container_of, primary_picture


def open_picture(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Open an image file of any accepted format; of phones' formats `info` holds more.

    Args:
      data: the whole file.
      formats: what it may be.

    Returns:
      The image, not yet decoded where Pillow reads it. `info['cicp']` holds the numbers of
      primaries and transfer function of AVIF and HEIF, `info['turned']` that the decoder turned it.

    Raises:
      RejectedImage: as `open_image` and `open_heif` raise it.
      ValueError, EOFError, OSError, RuntimeError: HEIF is damaged.
    """
    container = container_of(data)
    if container is None:
        return open_image(data, formats)
    if container not in formats:
        raise RejectedImage(f'{container}, which is not accepted here')
    primary = primary_picture(data)
    for size in primary.sizes:
        check_size(*size)
    if container == 'AVIF':
        image = open_image(data, ('AVIF',))
    else:
        from library.preparation.pictures.heif import open_heif

        image = open_heif(data)
        image.info['turned'] = primary.turned
    if primary.cicp:
        image.info['cicp'] = primary.cicp
    return image
