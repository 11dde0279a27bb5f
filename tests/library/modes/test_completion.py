"""What only the model and the saved run know."""

from __future__ import annotations

import pytest

from library.errors import MismatchError

pytestmark = pytest.mark.train


def test_a_run_goes_on_with_its_own_model_only(launch, trained_copy, tmp_path):
    trained_copy(tmp_path, model='simple', image_size=16, train_epochs=1)
    with pytest.raises(MismatchError) as caught:
        launch(tmp_path, model='hub')
    assert str(caught.value) == (
        f'{tmp_path}/checkpoints: is a run of the model simple, and not of hub: go on with --model '
        f'simple, or choose another --model_dir'
    )
    assert launch(tmp_path, model='hub', clean=None, train_epochs=1) == 0
