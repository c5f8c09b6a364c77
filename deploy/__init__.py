"""What operators deploy beside the programs: dashboards and alerts."""
