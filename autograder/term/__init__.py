"""The term around the assignments: people, dates, teams, attempts, and what the points add up to."""
