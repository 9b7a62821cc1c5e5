"""Where pictures come from, as far as no camera is needed."""

from hypothesis import given
from hypothesis import strategies as st

from physad_ros.dataset.sources import Gaps


@given(st.sets(st.integers(1, 98), max_size=40), st.integers(0, 2**31), st.sampled_from([30.0, 59.94, 60.0]))
def test_frames_that_are_missing_are_counted_whatever_the_jitter(lost, seed, fps):
    import random

    chance, gaps = random.Random(seed), Gaps(fps)
    for k in range(100):
        if k not in lost:
            gaps.see(1.76e9 + (k + chance.uniform(-0.2, 0.2)) / fps)
    assert gaps.lost == len(lost)
