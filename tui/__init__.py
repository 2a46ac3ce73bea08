"""What a person at a terminal meets: the command line and the dashboard."""
