"""For who reads: questions to the warehouse from Python, and answers that become a DataFrame."""
