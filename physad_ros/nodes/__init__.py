"""ROS 2 adapters: parameters in, messages to core types, one call, core types to messages. Only here is rclpy imported."""
