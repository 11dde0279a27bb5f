"""Lay a transparent picture on a background, in parts: at once it takes four times its memory."""

from __future__ import annotations

from PIL import Image

# Pixels that are laid on the background at once.
AT_ONCE = 1 << 18


def lay_on(image: Image.Image, background: tuple[int, ...]) -> tuple[Image.Image, bool]:
    """Lay an image of any mode, with opacity or a transparent colour, on a background.

    Args:
      image: was loaded.
      background: red, green and blue, 0 to 255.

    Returns:
      The image as RGB, and whether the background shows anywhere.
    """
    width, height = image.size
    flat, shows = Image.new('RGB', image.size), False
    rows = max(1, AT_ONCE // max(1, width))
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(top + rows, height))).convert('RGBA')
        shows = shows or band.getchannel('A').getextrema() != (255, 255)
        ground = Image.new('RGBA', band.size, (*background, 255))
        flat.paste(Image.alpha_composite(ground, band).convert('RGB'), (0, top))
    return flat, shows
