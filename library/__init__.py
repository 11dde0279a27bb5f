"""The part of the scaffold that stays; what a clone edits is in project/."""
