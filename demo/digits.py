"""Write scikit-learn's 1,797 handwritten digits as folders of JPEGs."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

# The digits are 8x8 with 17 levels; drawn larger, they survive JPEG's 8x8 blocks.
SIZE = 32
LEVELS = 16
QUALITY = 95
TEST_SHARE = 0.2


def write_digits(folder: str) -> None:
    """Write FOLDER/{train,test}/{0..9}/NUMBER.jpg, a fifth of each digit for test."""
    digits = load_digits()
    numbers = np.arange(len(digits.target))
    parts = train_test_split(numbers, test_size=TEST_SHARE, stratify=digits.target, random_state=0)
    for split, chosen in zip(('train', 'test'), parts, strict=True):
        for number in chosen:
            label = str(digits.target[number])
            os.makedirs(os.path.join(folder, split, label), exist_ok=True)
            levels = (digits.images[number] * (255 / LEVELS)).astype(np.uint8)
            image = Image.fromarray(levels).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
            path = os.path.join(folder, split, label, f'{number:04d}.jpg')
            image.convert('RGB').save(path, quality=QUALITY)
