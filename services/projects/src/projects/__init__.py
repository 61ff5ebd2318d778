"""The service that owns projects and the companies that come out of them."""
