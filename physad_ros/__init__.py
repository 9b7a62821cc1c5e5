"""Inspects objects as a person does: perceives, interacts, reasons."""
