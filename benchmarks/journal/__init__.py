"""Scenarios `journal-*`: what it costs to write down every job: processor time, slots, and with 10,000 of them."""
