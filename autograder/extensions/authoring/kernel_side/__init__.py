"""Code that an import runs beside a solution, in its kernel."""
