"""Open the formats of phones, AVIF and HEIF, each by its own decoder.

Both are the same container, and Pillow's reader of AVIF claims what it cannot decode: their brands
decide.
"""

from __future__ import annotations

from PIL import Image

from library.preparation.formats import RejectedImage, open_image
from library.preparation.pictures.boxes import container_of, primary_picture
from library.preparation.pictures.decoded_size import check_pixels


def open_picture(data: bytes, formats: tuple[str, ...], max_pixels: int) -> Image.Image:
    """Open an image file of any accepted format; of phones' formats `info` holds more.

    Args:
      data: the whole file.
      formats: what it may be.
      max_pixels: what is decoded here counts, as `SizeOptions` says.

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
    if container == 'AVIF':
        image = open_image(data, ('AVIF',))
    else:
        from library.preparation.pictures.heif import open_heif

        # What is coded may be larger than what is shown of it.
        for width, height in primary.sizes:
            check_pixels((width, height), width * height, max_pixels)
        image = open_heif(data, max_pixels)
        image.info['turned'] = primary.turned
    if primary.cicp:
        image.info['cicp'] = primary.cicp
    return image
