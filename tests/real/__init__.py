"""Real servers for the tests: PostgreSQL, Redis or Valkey, S3, each on a free loopback port."""
