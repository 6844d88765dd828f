"""What is learned of one person, on their own machine."""
