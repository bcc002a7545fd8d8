"""The store in SQLite or PostgreSQL; nothing else in Canary imports SQLAlchemy (migrations aside)."""
