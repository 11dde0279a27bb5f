"""Draws pictures, writes them in every make, and reads what became of them."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from library.preparation.images import JPEG_FORMATS, RejectedImage, prepare_image

# What JPEG of quality 80 may move a flat colour by.
TOLERANCE = 3

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

# Quarters of 16 x 16 pixels, pink blue / sand green, from switches of libjpeg that Pillow lacks.
ARITHMETIC_JPEG = base64.b64decode(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsL'
    'EBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU'
    'FBQUFBQUFBQUFBQUFBQUFBQUFBT/yQARCAAQABADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/ANIM'
    'buolLkZ9HjYjAirjD4t9L91qSdQ9XMJmS8Lk1EZF/9k='
)
LOSSLESS_JPEG = base64.b64decode(
    '/9j/7gAOQWRvYmUAZAAAAAAA/8MAEQgAEAAQA1IRAEcRAEIRAP/EABcAAQEBAQAAAAAAAAAAAAAAAAAIBwb/2gAMA1IA'
    'RwBCAAEAANIx3mQAABIIAAAAAAAJBAAAAAAABIIAAAAAAAJBAAAAAAABIIAAAAAAAJBAAAAAAABIIAAAAAAAJBAAAApY'
    'AAAJBAAAAAAABIIAAAAAAAJBAAAAAAABIIAAAAAAAJBAAAAAAABIIAAAAAAAJBAAAAAAABIIAAAP/9k='
)


def encoded(image, kind='JPEG', **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def several(kind, *images, **options):
    """One file of several frames, pages or pictures."""
    # Pillow's writers leave traces in the images, which its writer of TIFF pages stumbles over.
    first, *others = [image.copy() for image in images]
    return encoded(first, kind, save_all=True, append_images=others, **options)


def noise(width, height, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def four_corners(width, height):
    """Red green / blue white."""
    image = Image.new('RGB', (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image


def exif_of(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def turned(image, kind, orientation, **options):
    """A file of these pixels whose tag asks for a turn."""
    return encoded(image, kind, exif=exif_of(orientation), **options)


def without_segment(jpeg, marker):
    start = jpeg.index(marker)
    (length,) = struct.unpack('>H', jpeg[start + 2 : start + 4])
    return jpeg[:start] + jpeg[start + 2 + length :]


def plain_cmyk_jpeg(image, **options):
    """CMYK as it is without Adobe: no marker, and 0 means no ink."""
    inverted = image.point(lambda value: 255 - value)
    return without_segment(encoded(inverted, **options), b'\xff\xee')


def png_chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(size, depth, color_type, rows, *chunks):
    """PNG says depths and colours that Pillow cannot write; rows begin with their filter byte."""
    header = png_chunk(b'IHDR', struct.pack('>IIBBBBB', *size, depth, color_type, 0, 0, 0))
    pixels = png_chunk(b'IDAT', zlib.compress(rows) if rows else b'')
    return b'\x89PNG\r\n\x1a\n' + header + b''.join(chunks) + pixels + png_chunk(b'IEND', b'')


def tiff(size, bits, photometric, data, order='<', **tags):
    """An uncompressed TIFF of one strip, or with whatever `t` and a tag's number says instead."""
    fields = {256: [size[0]], 257: [size[1]], 258: bits, 259: [1], 262: [photometric]}
    fields |= {273: [8], 277: [len(bits)], 278: [size[1]], 279: [len(data)]}
    fields |= {int(name[1:]): values for name, values in tags.items()}
    data += b'\0' * (len(data) % 2)
    directory, beyond = struct.pack(order + 'H', len(fields)), b''
    free = 8 + len(data) + 2 + 12 * len(fields) + 4
    for tag, values in sorted(fields.items()):
        wide = max(values) > 0xFFFF
        packed = struct.pack(f'{order}{len(values)}{"I" if wide else "H"}', *values)
        if len(packed) > 4:
            packed, beyond = struct.pack(order + 'I', free + len(beyond)), beyond + packed
        directory += struct.pack(order + 'HHI', tag, 4 if wide else 3, len(values))
        directory += packed.ljust(4, b'\0')
    start = (b'II*\0' if order == '<' else b'MM\0*') + struct.pack(order + 'I', 8 + len(data))
    return start + data + directory + bytes(4) + beyond


def patched(data, position, *values, pack='<HH'):
    new = struct.pack(pack, *values)
    return data[:position] + new + data[position + len(new) :]


def sized_jpeg(width, height, **options):
    """A JPEG whose header tells of a size that its pixels do not have."""
    jpeg = encoded(noise(64, 48), **options)
    return patched(jpeg, jpeg.index(b'\xff\xc0') + 5, height, width, pack='>HH')


def stored_pixels(prepared):
    """[height, width, 3] as int; also checks that the facts told about them are true."""
    image = Image.open(io.BytesIO(prepared.jpeg))
    assert (image.format in JPEG_FORMATS, image.mode) == (True, 'RGB')
    assert image.size == (prepared.width, prepared.height)
    return np.asarray(image).astype(int)


def prepared_pixels(data, max_edge=64, **options):
    prepared = prepare_image(data, max_edge, quality=80, **options)
    assert prepared.reencoded
    return stored_pixels(prepared)


def assert_flat(pixels, color, what=''):
    expected = np.broadcast_to(color, pixels.shape)
    np.testing.assert_allclose(pixels, expected, atol=TOLERANCE, err_msg=what)


def reason(data, max_edge=64, **options):
    with pytest.raises(RejectedImage) as caught:
        prepare_image(data, max_edge, quality=80, **options)
    return str(caught.value)
