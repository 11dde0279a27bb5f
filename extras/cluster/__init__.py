"""Train one model in several processes, on one machine or on many."""
