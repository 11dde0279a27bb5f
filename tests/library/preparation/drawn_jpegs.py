"""Writes JPEGs of kinds that Pillow cannot write, of blocks of one colour each."""

from __future__ import annotations

import math
import struct

import numpy as np


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack('>H', len(content) + 2) + content


def behind_start(jpeg, *pieces):
    """The same JPEG with bytes before its first segment."""
    return jpeg[:2] + b''.join(pieces) + jpeg[2:]


class _Bits:
    """Collects codes of the tables below; each block is its mean, and nothing else."""

    def __init__(self):
        self.text = ''

    def block(self, difference):
        size = int(abs(difference)).bit_length()
        self.text += f'{size:04b}'
        if size:
            value = difference if difference > 0 else difference + 2**size - 1
            self.text += f'{int(value):0{size}b}'
        self.text += '0'

    def coded(self):
        padded = self.text + '1' * (-len(self.text) % 8)
        return int(padded or '0', 2).to_bytes(len(padded) // 8, 'big').replace(b'\xff', b'\xff\0')


def block_jpeg(width, height, factors, *, interleaved=True, interval=0, seed=0, before=b''):
    """A baseline JPEG of YCbCr; factors are (across, down) of each channel."""
    random = np.random.default_rng(seed)
    across, down = (max(each) for each in zip(*factors, strict=True))
    columns, rows = math.ceil(width / (8 * across)), math.ceil(height / (8 * down))
    means = [
        random.integers(-60, 60, (rows * tall, columns * wide)) * 8 // 8 for wide, tall in factors
    ]
    frame = struct.pack('>BHHB', 8, height, width, len(factors))
    for number, (wide, tall) in enumerate(factors, 1):
        frame += bytes([number, wide << 4 | tall, 0])
    data = b'\xff\xd8' + before + segment(0xDB, bytes([0] + [8] * 64)) + segment(0xC0, frame)
    data += segment(0xC4, bytes([0x00, 0, 0, 0, 12] + [0] * 12 + list(range(12))))
    data += segment(0xC4, bytes([0x10, 1] + [0] * 15 + [0]))
    if interval:
        data += segment(0xDD, struct.pack('>H', interval))
    everything = range(len(factors))
    for scan in [tuple(everything)] if interleaved else [(each,) for each in everything]:
        selected = b''.join(bytes([each + 1, 0]) for each in scan)
        data += segment(0xDA, bytes([len(scan)]) + selected + b'\0\x3f\0')
        data += _scan(scan, means, factors, (width, height), (across, down), interval)
    return data + b'\xff\xd9'


def _scan(scan, means, factors, size, most, interval):
    bits, last, coded = _Bits(), [0] * len(means), b''
    for count, places in enumerate(_units(scan, means, factors, size, most)):
        if interval and count and count % interval == 0:
            coded += bits.coded() + bytes([0xFF, 0xD0 + (count // interval - 1) % 8])
            bits, last = _Bits(), [0] * len(means)
        for channel, row, column in places:
            value = means[channel][row, column]
            bits.block(value - last[channel])
            last[channel] = value
    return coded + bits.coded()


def _units(scan, means, factors, size, most):
    """What is coded together: (channel, row, column) of blocks."""
    if len(scan) == 1:
        (channel,) = scan
        wide, tall = factors[channel]
        columns = math.ceil(size[0] * wide / (8 * most[0]))
        rows = math.ceil(size[1] * tall / (8 * most[1]))
        yield from (((channel, row, column),) for row in range(rows) for column in range(columns))
        return
    wide, tall = factors[scan[0]]
    rows, columns = means[scan[0]].shape
    for top in range(rows // tall):
        for left in range(columns // wide):
            yield tuple(
                (channel, top * factors[channel][1] + row, left * factors[channel][0] + column)
                for channel in scan
                for row in range(factors[channel][1])
                for column in range(factors[channel][0])
            )
