"""One file (or folder) a back end; importing the registry needs none of their libraries."""
