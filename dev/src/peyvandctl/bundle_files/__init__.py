"""What goes into a bundle as it stands here; it runs at a center, with Python alone."""
