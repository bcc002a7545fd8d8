"""Word-piece tokens: every text can be written with them, and every token has an id and bytes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WORD = re.compile(r" ?[^\W\d_]+|\d|\n+ *|\t+| ?[^\w\s]+|_|\s+")
_LONGEST = 8
_WIDE = 3  # pieces of scripts without spaces between words, or with long words


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token ids are positions in `pieces`; the first 256 are the single bytes, the last one ends an answer."""

    pieces: tuple[bytes, ...]
    ids: dict[bytes, int]

    @classmethod
    def of(cls, texts: Iterable[str], whole: Iterable[str]) -> "Vocabulary":
        """All pieces that occur in `texts`, in the order of their first use, and the words of `whole`."""
        found = dict.fromkeys(piece.encode() for text in texts for piece in cut(text))
        found |= dict.fromkeys(word.encode() for word in whole)
        words = [piece for piece in found if len(piece) > 1]
        pieces = (*(bytes([b]) for b in range(256)), *words, b"")
        return cls(pieces, {piece: i for i, piece in enumerate(pieces)})

    @property
    def end(self) -> int:
        return len(self.pieces) - 1

    def encode(self, text: str) -> list[int]:
        return [token for piece in cut(text) for token in self._tokens(piece)]

    def decode(self, tokens: Iterable[int]) -> str:
        return b"".join(self.pieces[token] for token in tokens).decode(errors="replace")

    def _tokens(self, piece: str) -> Iterator[int]:
        whole = self.ids.get(piece.encode())
        if whole is not None:
            yield whole
            return
        rest = piece
        while rest:
            size = next((n for n in range(len(rest), 0, -1) if rest[:n].encode() in self.ids), 0)
            if size:
                yield self.ids[rest[:size].encode()]
            else:
                yield from rest[0].encode()
            rest = rest[max(1, size) :]


def cut(text: str) -> Iterator[str]:
    """Cut a text into pieces; joined, they are the text again."""
    for match in _WORD.finditer(text):
        word = match.group()
        size = _LONGEST if ord(word[-1]) < 0x0250 else _WIDE
        if len(word) <= size + 1:
            yield word
        else:
            yield from (word[i : i + size] for i in range(0, len(word), size))
