"""Bars that scanners read: Code 128, set B (ISO/IEC 15417), as the widths of bars and gaps."""

# Widths of three bars and three gaps of each symbol; the last one, the stop, has a fourth bar.
_WIDTHS = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122
123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323
131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131
213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122
141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112
124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141
411131 211412 211214 211232 2331112
"""
_SYMBOLS = _WIDTHS.split()
_START_B, _STOP, _MODULUS = 104, 106, 103
QUIET = 10
"""Modules that stay white on either side."""


def symbols_of(text: str) -> list[int]:
    """The symbols of a text, with start, check symbol and stop. Raises ValueError for what is not printable ASCII."""
    if not text or not all(" " <= character <= "~" for character in text):
        raise ValueError("Code 128 B has printable ASCII only")
    values = [ord(character) - 32 for character in text]
    check = (_START_B + sum(place * value for place, value in enumerate(values, 1))) % _MODULUS
    return [_START_B, *values, check, _STOP]


def bars_of(text: str) -> tuple[int, list[tuple[int, int]]]:
    """The width of the whole, and offset and width of each bar, in modules. Raises ValueError."""
    offset, bars = QUIET, []
    for symbol in symbols_of(text):
        for place, width in enumerate(map(int, _SYMBOLS[symbol])):
            if place % 2 == 0:
                bars.append((offset, width))
            offset += width
    return offset + QUIET, bars
