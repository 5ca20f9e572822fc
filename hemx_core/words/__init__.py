"""What HEMX says, in English and Japanese."""
