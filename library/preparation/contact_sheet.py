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
from library.records.listing import Content, Listing, Part, read_content

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
    options = next(iter(conversion.manifests.values())).options
    encoding = dataclasses.replace(encoding, pictures=from_json(options['pictures']))
    contents = {image.filename: image.content for image in listing.images}
    # An image may be altered in several ways.
    names = {name for change in conversion.changes for name in change.files} & contents.keys()
    pairs = {name: _pair(name, contents[name], encoding) for name in names}
    rows = {}
    for change in conversion.changes:
        if row := [pair for name in change.files if (pair := pairs.get(name))]:
            rows[told_change(change)] = sorted(row, key=lambda pair: -pair.difference)[:PAIRS]
    if not rows:
        if files.exists(output.contact_sheet):
            files.remove(output.contact_sheet)
        return ''
    sheet = io.BytesIO()
    _drawn(rows).save(sheet, 'JPEG', quality=85)
    files.write_atomically(output.contact_sheet, sheet.getvalue())
    return output.contact_sheet


def _pair(name: str, content: Content, encoding: EncodingOptions) -> Pair | None:
    """Decode an image in both ways; None where it is no file, or was not stored."""
    if not isinstance(content, str | Part | bytes):
        return None
    try:
        data = read_content(content)
    except OSError:
        return None
    outcome = prepare(data, encoding)
    if not isinstance(outcome, PreparedImage):
        return None
    after = Image.open(io.BytesIO(outcome.jpeg))
    after.thumbnail((EDGE, EDGE))
    before = _unread(data, encoding)
    return Pair(name, before, after, _difference(before, after))


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
