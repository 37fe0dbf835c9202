"""A student's figures as the examiner's own, drawn from what the kernel says of them."""
