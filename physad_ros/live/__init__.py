"""The live graph for people: one inspection, a campaign of them, the camera's benchmark. ROS below, a terminal above."""
