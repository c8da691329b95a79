"""What operators see of the platform 可观测性: metrics, objectives, alerts, dashboards."""
