"""Hook into training sessions that work together."""
