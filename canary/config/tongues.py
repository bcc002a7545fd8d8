"""The script that a language is written in."""

from collections.abc import Mapping
from types import MappingProxyType

_WRITTEN = {
    "Latn": "af ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv ms nl no pl pt ro sk sl sq sv sw tl tr vi",
    "Cyrl": "be bg kk ky mk mn ru sr tg uk",
    "Arab": "ar fa ps ur",
    "Deva": "hi mr ne sa",
    "Hani": "zh",
    "Jpan": "ja",
    "Kore": "ko",
    "Thai": "th",
    "Grek": "el",
    "Hebr": "he yi",
    "Armn": "hy",
    "Geor": "ka",
    "Beng": "bn",
    "Taml": "ta",
    "Telu": "te",
    "Gujr": "gu",
    "Guru": "pa",
    "Knda": "kn",
    "Mlym": "ml",
    "Sinh": "si",
    "Laoo": "lo",
    "Khmr": "km",
    "Mymr": "my",
    "Ethi": "am",
}
SCRIPTS: Mapping[str, str] = MappingProxyType(
    {language: script for script, languages in _WRITTEN.items() for language in languages.split()}
)
"""By ISO 639-1 code, as ISO 15924."""
