"""A door: students hand in with a browser, get a receipt, and see their grade when it is there."""
