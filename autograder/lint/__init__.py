"""The linter: errors and warnings about an exam's test cells before its release."""
