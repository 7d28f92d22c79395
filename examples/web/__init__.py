"""What the FastAPI and the aiohttp application have in common: everything that no framework has a say in."""
