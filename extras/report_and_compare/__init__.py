"""Write a page about each evaluation, and compare runs side by side."""
