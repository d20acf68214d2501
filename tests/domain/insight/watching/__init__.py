"""What is usual, what is not, and how an alert goes."""
