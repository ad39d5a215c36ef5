"""The documented test cards and tokens, and what they do."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Card:
    """``attach`` and ``charge`` are decline codes; ``authenticates``: never, setup (once, when saved) or always."""

    number: str
    brand: str = "visa"
    attach: str | None = None
    charge: str | None = None
    authenticates: str = "never"


_FINE = (
    Card("4242424242424242"),
    Card("4000056655665556"),
    Card("5555555555554444", brand="mastercard"),
    Card("378282246310005", brand="amex"),
    Card("4000000000000341", charge="generic_decline"),
    Card("4000002500003155", authenticates="setup"),
    Card("4000002760003184", authenticates="always"),
)
_DECLINED = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000009979": "stolen_card",
    "4000000000000069": "expired_card",
    "4000000000000127": "incorrect_cvc",
    "4000000000000119": "processing_error",
}
CARDS = {
    card.number: card
    for card in (*_FINE, *(Card(n, attach=code, charge=code) for n, code in _DECLINED.items()))
}
_BY_NAME = {
    "visa": "4242424242424242",
    "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "chargeCustomerFail": "4000000000000341",
    "authenticationRequiredOnSetup": "4000002500003155",
    "authenticationRequired": "4000002760003184",
    "threeDSecure2Required": "4000002760003184",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
}
TOKENS = {
    **{f"pm_card_{name}": CARDS[number] for name, number in _BY_NAME.items()},
    **{
        f"pm_card_visa_{name}": CARDS[number]
        for name, number in _BY_NAME.items()
        if name.startswith("charge")
    },
    **{f"tok_{name}": CARDS[number] for name, number in _BY_NAME.items()},
}
# decline code: (code of the error, its message)
_MESSAGES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


def card_of(number: str) -> Card:
    """What a number does; an unknown one is a good Visa."""
    digits = "".join(filter(str.isdigit, number))
    return CARDS.get(digits) or replace(CARDS["4242424242424242"], number=digits)


def is_valid_number(number: str) -> bool:
    """Whether the digits pass the check sum of card numbers."""
    digits = [int(d) for d in number if d.isdigit()][::-1]
    doubled = sum(sum(divmod(2 * d, 10)) for d in digits[1::2])
    return 12 <= len(digits) <= 19 and (sum(digits[::2]) + doubled) % 10 == 0


def decline(code: str) -> tuple[str, str]:
    """Code and message of the error for a decline code."""
    return _MESSAGES[code]
