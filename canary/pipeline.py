"""The only module that knows the whole sentence."""
