"""Brings the door's catalogues up to date: texts of pages and modules into each .po file, and that into its .mo file.

.venv/bin/python scripts/catalogues.py            writes them, and lists what is not translated yet
.venv/bin/python scripts/catalogues.py --check    writes nothing; fails if they are not up to date or not whole
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
DOOR = ROOT / "autograder/extensions/serve"
SOURCES = {DOOR: [("**.py", "python")], ROOT / "autograder/results/report/templates/serve": [("**.html", "jinja2")]}
KEYWORDS = {"_": None, "gettext": None, "noop": None, "ngettext": (1, 2)}
ABOUT = {
    "project": "nbexaminer",
    "version": "0",
    "header_comment": "# Texts of the door's pages; scripts/catalogues.py makes the .mo file.",
    "msgid_bugs_address": "https://github.com/nbexaminer/nbexaminer/issues",
    "last_translator": "the nbexaminer developers",
    "language_team": "the nbexaminer developers",
    "fuzzy": False,
}
Text = str | tuple[str, ...]


def marked_texts() -> Iterator[Text]:
    """Yield every text that is marked for translation; of a plural, both."""
    for folder, methods in SOURCES.items():
        for _, _, text, _, _ in extract_from_dir(folder, methods, keywords=KEYWORDS):
            yield text


def updated(old: Catalog) -> Catalog:
    """Return a catalogue with exactly the marked texts, translated as far as the old one is."""
    new = Catalog(locale=old.locale, creation_date=old.creation_date, revision_date=old.creation_date, **ABOUT)
    for text in marked_texts():
        before = old.get(text[0] if isinstance(text, tuple) else text)
        new.add(text, before.string if before is not None else "", flags=["python-format"] if "%(" in str(text) else [])
    return new


def translations(catalog: Catalog) -> dict[Text, Text]:
    """Map each text to its translation; of a plural, both are tuples."""
    messages = [(message.id, message.string) for message in catalog if message.id]
    return dict(map(tuple, pair) if not isinstance(pair[0], str) else pair for pair in messages)


def faults_of(catalog: Catalog) -> Iterator[str]:
    """Yield what is not translated, or has other parameters than its text."""
    for text, string in translations(catalog).items():
        if not all(string if isinstance(string, tuple) else [string]):
            yield f"not translated: {text!r}"
    for message, errors in catalog.check():
        yield from (f"{message.id!r}: {error}" for error in errors if message.string)


def main() -> int:
    """Update or check every catalogue."""
    faults = []
    for path in sorted(DOOR.glob("locale/*/LC_MESSAGES/django.po")):
        language, compiled = path.parts[-3], path.with_suffix(".mo")
        old = read_po(BytesIO(path.read_bytes()), locale=language)
        new = updated(old)
        faults += [f"{language}: {fault}" for fault in faults_of(new)]
        if "--check" not in sys.argv:
            with path.open("wb") as po, compiled.open("wb") as mo:
                write_po(po, new, width=120, sort_output=True)
                write_mo(mo, new)
        elif translations(old) != translations(new) or translations(read_mo(compiled.open("rb"))) != translations(new):
            faults.append(f"{language}: not up to date: run scripts/catalogues.py")
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
