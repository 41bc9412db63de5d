"""How an evaluation is worded: the parts of a card, its values, its sources."""
