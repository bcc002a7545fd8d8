"""How far two sequences go together."""

from collections.abc import Sequence


def common_length(a: Sequence[object], b: Sequence[object]) -> int:
    """How many items two sequences of one type share from their start.

    By halves, each compared as a whole: fewer steps than item by item.

    Shape:
        Two sequences of any lengths to one number.
    Unit:
        Items.
    Range:
        0 <= n <= length of the shorter one.

    Raises:
        Nothing.

    >>> common_length("abcd", "abde")
    2
    """
    if a == b:
        return len(a)
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
