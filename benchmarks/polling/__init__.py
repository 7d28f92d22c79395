"""What a polling policy costs and buys, in a simulated account with virtual time."""
