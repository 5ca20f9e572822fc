"""The Result screen: findings of the triage, and the recommendation."""
