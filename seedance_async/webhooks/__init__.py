"""Webhooks: take the calls of the service, and let a session make use of them.

```python
seedance = AsyncSeedance(callback_url=CallbackUrls("https://example.com/seedance", secret))
app.mount("/seedance", asgi_app(seedance))  # or, with aiohttp.web: app.add_subapp("/seedance", aiohttp_app(seedance))
```

The service signs nothing. So a delivery is a hint: it makes the session ask for that one task now, and changes nothing
by itself. `docs/webhooks.md` has the whole story.
"""

from seedance_async.core.callback_urls import CallbackUrls
from seedance_async.core.delivery import MAX_BODY, Delivery, parse_delivery
from seedance_async.errors import DeliveryError
from seedance_async.webhooks.aiohttp_route import aiohttp_app
from seedance_async.webhooks.answering import Notifies, Receiver
from seedance_async.webhooks.asgi_route import asgi_app

__all__ = [
    "MAX_BODY",
    "CallbackUrls",
    "Delivery",
    "DeliveryError",
    "Notifies",
    "Receiver",
    "aiohttp_app",
    "asgi_app",
    "parse_delivery",
]
