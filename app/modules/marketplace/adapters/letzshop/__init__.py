"""The client of the Letzshop API."""
