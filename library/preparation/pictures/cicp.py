"""Convert pixels whose colours are named by number (ITU-T H.273) to sRGB, HDR among them.

AVIF and HEIF hold such numbers (nclx), PNG in its chunk cICP, new ICC profiles in their tag cicp.
This module is imported where they name something else than sRGB.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from library.preparation.pictures.hdr import HDR, tone_mapped

# x and y of red, green, blue and white (H.273, table 2).
D65 = (0.3127, 0.3290)
PRIMARIES = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65),  # BT.709, sRGB
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),  # NTSC of 1953
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),  # BT.601 of 625 lines
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),  # BT.601 of 525 lines
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),  # SMPTE 240M
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),  # BT.2020, BT.2100
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),  # DCI-P3
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),  # Display P3
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),  # EBU 3213
}
# Curves of powers (H.273, table 3). Those of BT.709 and its like are taken for sRGB's: their
# pictures were made to be seen on displays of about this curve. So are unknown ones.
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}

# Cone responses of the Bradford adaptation to another white.
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
# Pixels that are converted at a time: floating-point numbers of all would take much memory.
PIECE = 1 << 18


def is_srgb(primaries: int, transfer: int) -> bool:
    """Return True where nothing is to be converted; numbers that nobody defined are no colours."""
    same_curve = transfer not in HDR and transfer not in GAMMAS
    return same_curve and (primaries == 1 or primaries not in PRIMARIES)


def to_srgb(image: Image.Image, primaries: int, transfer: int) -> Image.Image:
    """Convert an RGB image.

    Args:
      image: of 8 bits, its values encoded by the transfer function.
      primaries, transfer: numbers of H.273; primaries that nobody defined are those of sRGB.

    Returns:
      RGB in sRGB. Colours that it does not reach are clipped for each channel.
    """
    pixels = np.asarray(image)
    converted = np.empty_like(pixels)
    linear = _linear(transfer)
    chromaticities = PRIMARIES.get(primaries, PRIMARIES[1])
    matrix = _to_bt709(chromaticities).astype(np.float32)
    luminances = _to_xyz(chromaticities)[1].astype(np.float32)
    rows = max(1, PIECE // pixels.shape[1])
    for first in range(0, len(pixels), rows):
        values = linear[pixels[first : first + rows]]
        if transfer in HDR:
            values = tone_mapped(values, transfer, luminances)
        values = np.clip(values @ matrix.T, 0, 1)
        converted[first : first + rows] = srgb_encoded(values) * 255 + 0.5
    return Image.fromarray(converted)


def srgb_encoded(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Encode light from 0 to 1 (IEC 61966-2-1)."""
    curve = 1.055 * np.power(np.maximum(values, 0.0031308), 1 / 2.4) - 0.055
    return np.where(values <= 0.0031308, values * 12.92, curve)


def srgb_decoded(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Decode to light from 0 to 1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@functools.cache
def _linear(transfer: int) -> np.ndarray[Any, Any]:
    """Return the light of each code: float32 [256]."""
    codes = np.arange(256) / 255
    decode: Callable[[Any], Any] = HDR.get(transfer, srgb_decoded)
    if transfer in GAMMAS:
        return (codes ** GAMMAS[transfer]).astype(np.float32)
    return np.asarray(decode(codes), np.float32)


@functools.cache
def _to_bt709(chromaticities: tuple[tuple[float, float], ...]) -> np.ndarray[Any, Any]:
    """Return the matrix [3, 3] from linear RGB of these primaries to that of sRGB."""
    to_cones = [BRADFORD @ _xyz(white) for white in (chromaticities[3], D65)]
    adapt = np.linalg.inv(BRADFORD) @ np.diag(to_cones[1] / to_cones[0]) @ BRADFORD
    return np.linalg.inv(_to_xyz(PRIMARIES[1])) @ adapt @ _to_xyz(chromaticities)


def _to_xyz(chromaticities: tuple[tuple[float, float], ...]) -> np.ndarray[Any, Any]:
    """Return the matrix [3, 3] from linear RGB to CIE XYZ, in which white has Y = 1."""
    columns = np.stack([_xyz(each) for each in chromaticities[:3]], axis=1)
    return columns * np.linalg.solve(columns, _xyz(chromaticities[3]))


def _xyz(chromaticity: tuple[float, float]) -> np.ndarray[Any, Any]:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])
