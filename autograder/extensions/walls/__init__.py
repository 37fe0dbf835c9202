"""Further walls: gVisor with a kernel of its own, and permissions alone where root may make no namespace."""
