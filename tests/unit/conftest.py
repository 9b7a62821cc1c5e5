"""What several test files share."""

from dataclasses import replace

import pytest


@pytest.fixture(scope="session")
def opened(tmp_path_factory):
    """Back ends of language models by name, each loaded once from a tiny checkpoint."""
    from tiny_models import LOCAL

    from physad_ros.language.base import back_ends

    made = {}

    def get(name):
        if name not in made:
            build, config = LOCAL[name]
            folder = tmp_path_factory.mktemp(name)
            build(folder)
            made[name] = back_ends[name](replace(config, checkpoint=str(folder)))
        return made[name]

    return get
