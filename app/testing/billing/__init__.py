"""A year of subscriptions under fire: shops, the stand-in for Stripe, a web process, workers that get killed."""
