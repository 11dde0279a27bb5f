"""Draw some images that a conversion altered, each beside what its file shows unread.

One page to look at before an hour of training.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

from library import files
from library.preparation.converter import Conversion
from library.preparation.encoding_options import EncodingOptions
from library.preparation.images import PreparedImage
from library.preparation.output import Output
from library.preparation.pictures.changes import told_change
from library.preparation.pictures.phone_photos import open_picture
from library.preparation.pictures.picture_options import from_json
from library.preparation.unwarned import Unwarned
from library.preparation.workers import prepare
from library.records.listing import Content, Listing, Part
from library.records.manifest import Changed

# Pairs of each change, and the edge of a picture, in pixels.
PAIRS, EDGE = 6, 144
MARGIN, LINE = 8, 18
# Both pictures are compared at this size.
COMPARED = (64, 64)
INK, PAPER = (40, 40, 40), (245, 245, 245)


@dataclass(frozen=True)
class Pair:
    """An image as its file shows it and as it was stored, and their mean difference, 0 to 255."""

    name: str
    before: Image.Image | None
    after: Image.Image
    difference: float


def draw_contact_sheet(
    conversion: Conversion, listing: Listing, output: Output, encoding: EncodingOptions
) -> str:
    """Write the sheet beside what was converted.

    Args:
      conversion: what was done.
      listing: the images that were converted.
      output: where they were written.
      encoding: how they were to be stored; levels that were measured stand in the manifest.

    Returns:
      The path of the sheet; '' where nothing was altered, and an older sheet is removed.
    """
    manifests = conversion.manifests.values()
    changes = Changed.together(each for manifest in manifests for each in manifest.changes)
    options = next(iter(manifests)).options
    encoding = dataclasses.replace(encoding, pictures=from_json(options['pictures']))
    contents = {image.filename: image.content for image in listing.images}
    rows = {}
    for change in changes:
        named = {name: contents[name] for name in change.files if name in contents}
        if pairs := _most_altered(named, encoding):
            rows[told_change(change)] = pairs
    if not rows:
        if files.exists(output.contact_sheet):
            files.remove(output.contact_sheet)
        return ''
    sheet = io.BytesIO()
    _drawn(rows).save(sheet, 'JPEG', quality=85)
    files.write_atomically(output.contact_sheet, sheet.getvalue())
    return output.contact_sheet


def _most_altered(contents: Mapping[str, Content], encoding: EncodingOptions) -> list[Pair]:
    pairs = []
    for name, content in contents.items():
        data = _bytes_of(content)
        outcome = prepare(data, encoding) if data else None
        if data and isinstance(outcome, PreparedImage):
            after = Image.open(io.BytesIO(outcome.jpeg))
            after.thumbnail((EDGE, EDGE))
            before = _unread(data, encoding)
            pairs.append(Pair(name, before, after, _difference(before, after)))
    return sorted(pairs, key=lambda pair: -pair.difference)[:PAIRS]


def _bytes_of(content: Content) -> bytes | None:
    try:
        if isinstance(content, str):
            return files.read_bytes(content)
        if isinstance(content, Part):
            return content.read()
    except OSError:
        return None
    return content if isinstance(content, bytes) else None


def _unread(data: bytes, encoding: EncodingOptions) -> Image.Image | None:
    """Decode an image as a program does that asks for nothing but RGB; None if Pillow cannot."""
    try:
        with Unwarned():
            image = open_picture(data, encoding.formats, encoding.max_pixels)
            image.draft('RGB', (2 * EDGE, 2 * EDGE))
            image.load()
            if image.mode.startswith('I;16'):
                image = image.convert('I').point(lambda value: value / 257).convert('L')
            image = image.convert('RGB')
    # Pillow raises almost anything, and some formats have another decoder here.
    except Exception:
        return None
    image.thumbnail((EDGE, EDGE))
    return image


def _difference(before: Image.Image | None, after: Image.Image) -> float:
    if before is None:
        return 0.0
    pair = (image.resize(COMPARED) for image in (before, after))
    return float(sum(ImageStat.Stat(ImageChops.difference(*pair)).mean) / 3)


def _drawn(rows: Mapping[str, Sequence[Pair]]) -> Image.Image:
    """Draw a row of pairs for each change, under its name."""
    font = ImageFont.load_default(13)
    width = PAIRS * (2 * EDGE + 3 * MARGIN)
    height = EDGE + 2 * LINE + 2 * MARGIN
    sheet = Image.new('RGB', (width, height * len(rows)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for row, (told, pairs) in enumerate(rows.items()):
        top = row * height + MARGIN
        draw.text((MARGIN, top), f'{told} (as the file shows | as stored)', INK, font)
        for column, pair in enumerate(pairs):
            left = column * (2 * EDGE + 3 * MARGIN) + MARGIN
            if pair.before is not None:
                sheet.paste(pair.before, (left, top + LINE))
            sheet.paste(pair.after, (left + EDGE + 2, top + LINE))
            name = pair.name if len(pair.name) <= 40 else f'...{pair.name[-37:]}'
            draw.text((left, top + LINE + EDGE), name.encode(errors='replace').decode(), INK, font)
    return sheet
