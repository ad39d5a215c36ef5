"""A stand-in for Stripe: the objects, sums, events and errors of its API, as far as the platform uses them."""

from sandbox.stripe import (
    catalogue,
    charges,
    checkout,
    customers,
    cycle,
    events,
    intents,
    invoice_operations,
    payment_methods,
    portal,
    setup_intents,
    subscription_operations,
)

# Importing them fills the tables of operations and of what falls due.
OPERATION_MODULES = (
    catalogue,
    charges,
    checkout,
    customers,
    cycle,
    events,
    intents,
    invoice_operations,
    payment_methods,
    portal,
    setup_intents,
    subscription_operations,
)
