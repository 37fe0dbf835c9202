"""Texts that spreadsheets take for formulas."""

INJECTIONS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "|calc",
    "%0A",
    "\uff1d1",
    " =1+1",
    "\u200b=1",
]
