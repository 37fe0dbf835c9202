"""Extensions of the kit's own: each registers by entry points, and nothing else of the kit imports them."""
