"""What is looked after beside the calls, again and again."""
