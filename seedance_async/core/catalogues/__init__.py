"""The published facts, one module per catalogue. Data only: nothing here decides anything."""
