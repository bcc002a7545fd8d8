"""Public fakes for users' own tests."""
