"""An incident, put together from the journal, as a document that people read."""
