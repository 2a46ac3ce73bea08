"""One module per wire protocol, and what they share."""
