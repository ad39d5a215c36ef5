"""The stand-in for Letzshop: its GraphQL API, the buyers of its shops, and the pull of the shops' feeds."""
