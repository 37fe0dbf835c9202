"""PyTorch modules in the examiner: graphs of a closed list of operators, computed and trained again by PyTorch."""
