"""What there is to say of a draft order, from the draft to its card."""
