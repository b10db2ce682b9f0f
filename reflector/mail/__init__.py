"""Send transcripts by e-mail: to whom a room names, and to whom a person names."""
