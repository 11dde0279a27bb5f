"""Define how an image is stored, as the pool, Beam and a direct source must agree on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import PIL
from PIL import features

from library.preparation.formats import FORMATS, MAX_PIXELS
from library.preparation.pictures.picture_options import PictureOptions, from_json

# JPEG quality of images that are re-encoded: half the bytes of 90, and no visible loss at the
# sizes that models see.
QUALITY = 80

# Enough for models that see up to 331 pixels, with room for random windows.
MAX_EDGE = 384

# A JPEG cannot be larger.
LARGEST_EDGE = 65_500

# Part of every shard's digest: raise it when the same image would be stored differently.
ENCODING_VERSION = 2


@dataclass(frozen=True)
class EncodingOptions:
    """Longest edge in pixels, JPEG quality, accepted formats, what pixels mean, and how many."""

    max_edge: int
    quality: int = QUALITY
    formats: tuple[str, ...] = FORMATS
    pictures: PictureOptions = field(default_factory=PictureOptions)
    max_pixels: int = MAX_PIXELS

    @classmethod
    def of_stored(
        cls,
        max_edge: int | None,
        quality: int | None,
        pictures: Mapping[str, Any] | str | None = None,
        max_pixels: int | None = None,
    ) -> EncodingOptions:
        """Return how the images of a run's data set are stored, as its run kept it.

        Args:
          max_edge: None keeps the size that images have.
          quality: None is the default.
          pictures: as `from_json` takes them.
          max_pixels: None is the default.
        """
        return cls(
            max_edge or LARGEST_EDGE,
            quality or QUALITY,
            pictures=from_json(pictures),
            max_pixels=max_pixels or MAX_PIXELS,
        )

    def fingerprint(self) -> dict[str, object]:
        """Return all that decides an image's stored bytes besides the image, codec versions too."""
        names = ('jpg', 'libjpeg_turbo', 'webp', 'avif', 'littlecms2')
        codecs = {name: features.version(name) for name in names}
        codecs['pi-heif'] = _version_of('pi-heif')
        # The usual limit has no say, so that data sets do not depend on which one that is.
        limit = {'max_pixels': self.max_pixels} if self.max_pixels != MAX_PIXELS else {}
        return limit | {
            # The name is part of every shard's digest: another would make all of them anew.
            'recipe': ENCODING_VERSION,
            'max_edge': self.max_edge,
            'quality': self.quality,
            'formats': sorted(self.formats),
            'pictures': self.pictures.to_json(),
            'pillow': PIL.__version__,
            'codecs': codecs,
        }


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
