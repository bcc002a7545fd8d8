"""The one HTTP seam."""
