"""The checks of `panel doctor`: is panel set up, what is missing, and what to do about it."""
