"""Event files of TensorBoard: scalars and histograms that a notebook wrote, read as bytes of a stranger."""
