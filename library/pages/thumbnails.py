"""Encode images as data: URIs, which a page holds in itself."""

from __future__ import annotations

import base64
import io

from PIL import Image

# The longest edge of a thumbnail in pixels, and its JPEG quality.
EDGE, QUALITY = 160, 80


def data_uri(image: bytes, kind: str) -> str:
    """Return the address of an image that is its content.

    Args:
      image: encoded.
      kind: 'png' or 'jpeg'.
    """
    return f'data:image/{kind};base64,{base64.b64encode(image).decode()}'


def thumbnail(jpeg: bytes | None) -> tuple[str, int, int] | None:
    """Shrink an image to a URI with width and height; None if no image can be read."""
    if jpeg is None:
        return None
    try:
        # Readers of other formats warn in their own ways about what is no image.
        with Image.open(io.BytesIO(jpeg), formats=('JPEG', 'PNG')) as image:
            image.draft('RGB', (EDGE, EDGE))
            small = image.convert('RGB')
        small.thumbnail((EDGE, EDGE))
        shrunk = io.BytesIO()
        small.save(shrunk, 'JPEG', quality=QUALITY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return data_uri(shrunk.getvalue(), 'jpeg'), *small.size
