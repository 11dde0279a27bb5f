"""Writes ICC profiles, and converts colours without one: by published matrices alone."""

from __future__ import annotations

import struct

import numpy as np

# Colorants for white of D50: red, green and blue in CIE XYZ.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
DISPLAY_P3 = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))

# Linear colours to linear ones of sRGB: of Display P3, Adobe RGB and BT.2020 (CSS Color 4), and
# from CIE XYZ for D50 (Lindbloom).
TO_SRGB = {
    'P3': ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
    'Adobe': ((1.3984, -0.3984, 0.0), (0.0, 1.0, 0.0), (0.0, -0.0429, 1.0429)),
    'BT.2020': ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    'XYZ': (
        (3.13386, -1.61687, -0.49061),
        (-0.97877, 1.91614, 0.03345),
        (0.07195, -0.22899, 1.40524),
    ),
}
GAMMA = 563 / 256  # of Adobe RGB


def srgb_curve(codes):
    """What sRGB codes from 0 to 1 mean as light."""
    codes = np.asarray(codes, float)
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def as_srgb(light):
    """Codes of sRGB, 0 to 255, for linear light of sRGB."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def converted(color, space, curve):
    """A colour of 0 to 255 in sRGB; `curve` decodes its codes."""
    return as_srgb(np.asarray(TO_SRGB[space]) @ curve(np.asarray(color) / 255))


def curve_of(gamma):
    """A tone curve as profiles hold it: a power, or the curve of sRGB for None."""
    if gamma is not None:
        return b'curv' + struct.pack('>IIH', 0, 1, round(gamma * 256))
    table = np.round(srgb_curve(np.arange(1024) / 1023) * 65_535).astype('>u2').tobytes()
    return b'curv' + struct.pack('>II', 0, 1024) + table


def _xyz(values):
    return b'XYZ \0\0\0\0' + struct.pack('>3i', *(round(value * 65_536) for value in values))


def profile(space, tags, name='Wide', kind=b'mntr', pcs=b'XYZ '):
    """A profile of ICC version 2.1 with these tags, and this name."""
    text = name.encode() + b'\0'
    described = b'desc\0\0\0\0' + struct.pack('>I', len(text)) + text + bytes(78)
    tags = {b'desc': described, b'wtpt': _xyz((0.9642, 1.0, 0.8249)), **tags}
    table, content = struct.pack('>I', len(tags)), b''
    for tag, data in tags.items():
        place = 132 + 12 * len(tags) + len(content)
        table += tag + struct.pack('>II', place, len(data))
        content += data + bytes(-len(data) % 4)
    header = bytes(4) + struct.pack('>I', 0x02100000) + kind + space + pcs
    header += struct.pack('>6H', 2026, 1, 1, 0, 0, 0) + b'acsp' + bytes(28)
    header += struct.pack('>3i', 63_190, 65_536, 54_061) + bytes(48)
    whole = header + table + content
    return struct.pack('>I', 4 + len(whole)) + whole


def rgb_profile(colorants, gamma, name='Wide', more=None):
    """A profile of red, green and blue."""
    tags = dict(zip((b'rXYZ', b'gXYZ', b'bXYZ'), map(_xyz, colorants), strict=True))
    tags |= dict.fromkeys((b'rTRC', b'gTRC', b'bTRC'), curve_of(gamma))
    return profile(b'RGB ', tags | (more or {}), name)


def grey_profile(gamma):
    """A profile of grey."""
    return profile(b'GRAY', {b'kTRC': curve_of(gamma)})


def cmyk_profile(lab_of):
    """A profile of inks: `lab_of` gives CIELAB to each of the 16 combinations of full inks."""
    steps = bytes(range(256))
    colors = b''
    for number in range(16):
        inks = [number >> place & 1 for place in (3, 2, 1, 0)]
        lightness, a, b = lab_of(*inks)
        colors += bytes([round(lightness * 2.55), round(a + 128), round(b + 128)])
    unit = struct.pack('>9i', 65_536, 0, 0, 0, 65_536, 0, 0, 0, 65_536)
    table = b'mft1\0\0\0\0' + bytes([4, 3, 2, 0]) + unit + steps * 4 + colors + steps * 3
    return profile(b'CMYK', {b'A2B0': table}, kind=b'prtr', pcs=b'Lab ')


def lab_as_srgb(lightness, a, b):
    """CIELAB for D50 as codes of sRGB."""
    y = (lightness + 16) / 116
    cubes = np.array([y + a / 500, y, y - b / 200])
    ratio = np.where(cubes > 6 / 29, cubes**3, 3 * (6 / 29) ** 2 * (cubes - 4 / 29))
    return as_srgb(np.asarray(TO_SRGB['XYZ']) @ (ratio * (0.9642, 1.0, 0.8249)))
