"""Who people are: users and their passwords."""
