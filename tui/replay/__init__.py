"""A recorded incident, played back in the dashboard."""
