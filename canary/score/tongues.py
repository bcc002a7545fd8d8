"""The languages that are told apart, and the script that each is written in."""

from collections.abc import Mapping
from types import MappingProxyType

_WRITTEN = {
    "Arab": "ar fa ps ur",
    "Armn": "hy",
    "Beng": "as bn",
    "Cyrl": "be bg kk ky mk mn ru sr tg uk",
    "Deva": "hi mr ne sa",
    "Ethi": "am",
    "Geor": "ka",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Hani": "yue zh",
    "Hebr": "he yi",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn",
    "Kore": "ko",
    "Laoo": "lo",
    "Latn": (
        "af az ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv ms nl nn no pl pt ro sk sl sq sv sw tl tr vi"
    ),
    "Mlym": "ml",
    "Mymr": "my",
    "Orya": "or",
    "Sinh": "si",
    "Taml": "ta",
    "Telu": "te",
    "Thai": "th",
}
SCRIPTS: Mapping[str, str] = MappingProxyType(
    {language: script for script, languages in _WRITTEN.items() for language in languages.split()}
)
"""By ISO 639 code, as ISO 15924."""
