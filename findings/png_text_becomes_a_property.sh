#!/usr/bin/env bash
# Pillow 13.0.0: a tEXt chunk of a PNG whose keyword is the name of an entry of Image.info.
#
# A text says nothing of the pixels, and other decoders ignore it. Seen: Pillow writes it into
# Image.info under its keyword, and reads the same entries when it decodes: with a text called
# `transparency` the picture cannot be converted to RGBA, with `bbox` or `interlace` not be loaded.
# Run as: bash findings/png_text_becomes_a_property.sh (installs into a temporary folder; exits 1 if this has changed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pillow==13.0.0'
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import io, struct, zlib
from PIL import Image

file = io.BytesIO()
Image.new('RGB', (8, 8), (200, 0, 0)).save(file, 'PNG')
clean = file.getvalue()


def outcome(keyword):
    """What becomes of the picture with a text of this keyword behind its header."""
    content = b'tEXt' + keyword + b'\0abc'
    chunk = struct.pack('>I', len(content) - 4) + content + struct.pack('>I', zlib.crc32(content))
    try:
        image = Image.open(io.BytesIO(clean[:33] + chunk + clean[33:]))
        image.load()
        image.convert('RGBA')
    except Exception as error:
        return type(error).__name__
    return 'read'


seen = {each: outcome(each.encode()) for each in ('Comment', 'transparency', 'bbox', 'interlace')}
print(seen)
assert seen == {
    'Comment': 'read', 'transparency': 'TypeError', 'bbox': 'ValueError', 'interlace': 'OSError',
}, seen
PY
