"""Names that stay: extensions of your own build on them.

A name in ``__all__`` of one of these modules keeps its meaning until a release says otherwise in its changelog.
Anything else of the kit may change in any release. docs/how-to/write-an-extension.md has an example for each.
"""
