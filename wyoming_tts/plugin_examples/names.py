"""A plugin that says names as the family does. Copy it into `plugins` in the data directory, and fill it."""

import re

NAMES = {
    "Aoife": "Eefa",
    "Caoimhe": "Keeva",
    "Niamh": "Neev",
    "Siobhán": "Shivawn",
    "Xóchitl": "Soh-cheetl",
}
"""As the name is written, and as it is spelled by somebody who only knows how it sounds."""

_ANY = re.compile(rf"\b(?:{'|'.join(map(re.escape, NAMES))})\b", re.IGNORECASE)
_SAID = {name.casefold(): said for name, said in NAMES.items()}


def pre_process_text(text: str) -> str:
    """The sentence with each name as it sounds: "Niamh's room" is read as "Neev's room"."""
    return _ANY.sub(lambda name: _SAID[name[0].casefold()], text)
