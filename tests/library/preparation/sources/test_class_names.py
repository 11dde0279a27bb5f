"""Names that no class has, and names that are classes although they look alike."""

import pytest

from library.preparation.sources.class_names import are_no_classes, masks_among


@pytest.mark.parametrize(
    'names',
    [
        ('images', 'masks'),
        ('JPEGImages', 'SegmentationClass', 'SegmentationObject'),
        ('image', 'label', 'label_vis'),
        ('left', 'left_mask'),
        ('image_2', 'label_2'),
        ('imgs', 'depth'),
        ('cat', 'cat_mask', 'dog', 'dog_mask'),
        ('images1', 'images2'),
        ('train-00', 'train-01'),
        ('HAM10000_images_part_1', 'HAM10000_images_part_2'),
    ],
)
def test_kinds_of_pictures_and_parts_of_a_set_are_no_classes(names):
    assert are_no_classes(names)


@pytest.mark.parametrize(
    'names',
    [
        ('with_mask', 'without_mask'),
        ('mask', 'no mask'),
        ('class_0', 'class_1'),
        ('original', 'forged'),
        ('raw', 'cooked'),
        ('0', '1'),
        ('photo', 'drawing', 'batch_1'),
        ('photo', 'picture'),
        ('n01440764', 'n01443537'),
        ('images',),
    ],
)
def test_what_may_tell_pictures_apart_is_a_class(names):
    assert not are_no_classes(names)


def test_files_named_as_masks_of_others_are_found():
    names = ['x (1).png', 'x (1)_mask.png', 'x (1)_mask_1.png', 'y_mask.png', '1.jpg', '1-GT.png']
    assert masks_among(names) == {
        **{'x (1)_mask.png': 'x (1).png', 'x (1)_mask_1.png': 'x (1).png'},
        '1-GT.png': '1.jpg',
    }
