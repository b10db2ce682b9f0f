"""Words and what is made of them: segments, speakers, text formats. Pure functions."""
