"""What a config costs and can see."""
