"""What is refused or warned of in an exam before its release."""
