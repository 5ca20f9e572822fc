"""What all measurements share: fresh processes that take turns, and outputs compared before speeds."""
