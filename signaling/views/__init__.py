"""What each audience is shown of the truth: one module for each. Pure: a picture in, messages out."""
