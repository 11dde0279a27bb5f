"""Bring pictures of high dynamic range, PQ and HLG, to the range of SDR.

The rules are those of ITU-R BT.2100 for the two signals and of report BT.2408 for what becomes of
them: diffuse white of 203 cd/m2 is the white of SDR, and its annex 5 bends what is brighter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# cd/m2: the brightest that is kept, a usual mastering display, and the white of SDR (BT.2408).
PEAK, WHITE = 1000.0, 203.0

# Constants of PQ (BT.2100, table 4).
M1, M2 = 2610 / 16384, 2523 / 4096 * 128
C1, C2, C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
# Constants of HLG (BT.2100, table 5).
A, B, C = 0.17883277, 0.28466892, 0.55991073
# Of HLG's OOTF for a display of 1000 cd/m2.
SYSTEM_GAMMA = 1.2

Array = np.ndarray[Any, Any]


def pq_decoded(signal: Array) -> Array:
    """Decode PQ from 0 to 1 to the light of a display in cd/m2 (EOTF)."""
    power = np.maximum(signal, 0) ** (1 / M2)
    return 10_000 * (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)


def pq_encoded(light: Array | float) -> Array:
    """Encode the light of a display in cd/m2 in PQ."""
    power = (np.asarray(light) / 10_000) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2


def hlg_decoded(signal: Array) -> Array:
    """Decode HLG from 0 to 1 to the light of the scene from 0 to 1 (inverse OETF)."""
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - C) / A) + B) / 12)


PQ, HLG = 16, 18
# Transfer functions of HDR, by their numbers in H.273, to what decodes them.
HDR = {PQ: pq_decoded, HLG: hlg_decoded}


def tone_mapped(values: Array, transfer: int, luminances: Array) -> Array:
    """Map light to SDR, keeping the proportions of red, green and blue (maxRGB of BT.2408).

    Args:
      values: float32 [..., 3], as the entry of HDR decodes them.
      transfer: PQ or HLG.
      luminances: float32 [3], the share of each primary in luminance, for the OOTF of HLG.

    Returns:
      float32 [..., 3] of light, from 0 to 1 for the white of SDR.
    """
    if transfer == HLG:
        scene = values @ luminances
        values = values * (PEAK * np.maximum(scene, 1e-6) ** (SYSTEM_GAMMA - 1))[..., None]
    brightest = np.maximum(values.max(axis=-1), 1e-6)
    return values * (compressed(brightest) / brightest / WHITE)[..., None]


def compressed(light: Array) -> Array:
    """Bend light up to PEAK cd/m2 below WHITE, by the EETF of BT.2408, annex 5, for black of 0."""
    highest = pq_encoded(PEAK)
    signal = pq_encoded(np.minimum(light, PEAK)) / highest
    target = pq_encoded(WHITE) / highest
    knee = 1.5 * target - 0.5
    t = (signal - knee) / (1 - knee)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee
    bent = bent + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * target
    return pq_decoded(np.where(signal < knee, signal, bent) * highest)
