"""One file (or folder) an extractor of snippet features; importing the registry needs none of their libraries."""
