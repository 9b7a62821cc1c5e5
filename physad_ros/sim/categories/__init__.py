"""One file a category: how its specimens differ, and what its defects are physically."""
