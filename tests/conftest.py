"""Before any test imports MuJoCo: the package says which OpenGL it draws with, and MuJoCo looks only once."""

import signal

import hypothesis

import physad_ros.sim  # noqa: F401

# how long an example takes says more of what else the machine does than of the code
hypothesis.settings.register_profile("physad", deadline=None)
hypothesis.settings.load_profile("physad")

# what a shell starts in the background has Ctrl-C ignored, and so would the programs that tests start and interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)
