"""standby's engine: fallback chains of models that keep answering when a provider goes down."""
