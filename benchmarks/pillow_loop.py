"""Open, decode, shrink and encode images with Pillow alone: what no conversion can do without.

python -m benchmarks.pillow_loop FOLDER MAX_EDGE QUALITY PROCESSES does it in a pool of processes.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ENDINGS = ('.jpg', '.jpeg', '.png')
# As many as the conversion hands to a worker at once.
CHUNK = 8


def find_images(folder: Path) -> list[Path]:
    """List the images below a folder in the order of their names."""
    return [path for path in sorted(folder.rglob('*')) if path.suffix.lower() in ENDINGS]


def shrink(path: Path, max_edge: int, quality: int) -> bytes:
    """Return one image as a JPEG with edges of at most `max_edge` pixels."""
    from PIL import Image

    with Image.open(path) as image:
        scale = min(1.0, max_edge / max(image.size))
        size = (round(image.width * scale), round(image.height * scale))
        image.draft('RGB', size)
        # The conversion's filter; a bicubic one would cost half as much again.
        small = image.convert('RGB').resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
        encoded = io.BytesIO()
        small.save(encoded, 'JPEG', quality=quality)
    return encoded.getvalue()


def main(argv: Sequence[str]) -> int:
    """Shrink all images of a folder; print how many bytes they have then."""
    folder, *numbers = argv
    max_edge, quality, processes = map(int, numbers)
    one = functools.partial(shrink, max_edge=max_edge, quality=quality)
    with ProcessPoolExecutor(processes) as pool:
        print(sum(map(len, pool.map(one, find_images(Path(folder)), chunksize=CHUNK))))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
