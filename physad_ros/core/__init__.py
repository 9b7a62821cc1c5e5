"""Types, catalogue, registry, clip ring, decision and inspection state machine. Knows neither ROS nor the simulator."""
