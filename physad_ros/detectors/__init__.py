"""One file (or folder) a detector; importing the registry needs none of their libraries."""
