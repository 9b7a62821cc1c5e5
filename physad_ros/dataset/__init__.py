"""Clips on disk: the Phys-AD tree, manifests, signals, video, rosbag2 recordings and reports. Knows no ROS client."""
