"""Citation support: whether what is cited says what the sentence says that it stands by."""
