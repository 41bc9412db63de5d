"""The knowledge of one analyte as a page that a reviewer can read, check and sign off."""
