"""Candidates on an emulated account: a server process and a client process that share one clock."""
