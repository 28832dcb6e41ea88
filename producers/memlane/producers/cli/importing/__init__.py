"""What is shown while something is imported, and after."""
