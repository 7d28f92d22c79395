"""A web application that makes videos, with aiohttp.web."""
