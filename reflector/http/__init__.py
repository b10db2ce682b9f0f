"""Share what all routes need: errors, dependencies, limits, headers, the response cache."""
