"""What the page asks: pages of samples, counts, pictures, problems, jobs. Every answer is a value."""
