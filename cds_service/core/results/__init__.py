"""Which results there are, which of them count, and what each of them is."""
