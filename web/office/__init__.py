"""The pages of those who answer for the hall: its managers and its administrator."""
