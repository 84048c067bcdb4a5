"""Answers become tables: columns from descriptors, and many calls collected into one DataFrame."""
