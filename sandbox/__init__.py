"""Stand-ins for outside services, for trying and testing the platform without them."""
