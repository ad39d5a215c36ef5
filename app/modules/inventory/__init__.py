"""What lies where, how much of it is promised, and what became of it."""
