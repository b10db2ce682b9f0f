"""Process words in pure functions: segments, speakers, text formats."""
