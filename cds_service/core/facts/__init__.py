"""Named facts about one result: the only clinical Python."""
