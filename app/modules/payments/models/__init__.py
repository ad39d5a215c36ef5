"""Tables of the payments module."""
