"""Who may call: client registry, tokens, replay protection."""
