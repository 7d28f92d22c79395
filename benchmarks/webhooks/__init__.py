"""What webhooks save, and what a session loses where they are lost."""
