"""Where the bench and the journal of all processes live."""
