#!/usr/bin/env bash
# rclpy.init() without arguments reads sys.argv of whatever program it runs in, and takes every word a:=b in it for a remapping
# rule, without --ros-args before it: only a warning tells. Arguments of `ros2 launch` have just that form. So a launch file's Python
# code that calls rclpy.init() to look into the graph renames topics by the launch arguments. rclpy.init(args=[]) does not.
#
# Seen with ros-kilted-rclpy 9.1.2 (Linux x86-64, Python 3.11 to 3.14). Fails if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "ros-kilted-rclpy==9.1.2" "ros-kilted-rmw-fastrtps-cpp==9.3.3" "ros-kilted-common-interfaces==5.5.1" "numpy<3" pyyaml typing-extensions
cat > "$folder/look.py" <<'PYTHON'
import sys
import rclpy

rclpy.init(args=[] if "--quiet" in sys.argv else None)
node = rclpy.create_node("look")
print(node.resolve_topic_name("camera"))
node.destroy_node()
rclpy.shutdown()
PYTHON
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST AMENT_PREFIX_PATH="$folder/venv"
taken=$("$folder/venv/bin/python" "$folder/look.py" inspect.launch.py camera:=left_eye 2>/dev/null | tail -n 1)
given=$("$folder/venv/bin/python" "$folder/look.py" inspect.launch.py camera:=left_eye --quiet 2>/dev/null | tail -n 1)
"$folder/venv/bin/pip" list 2>/dev/null | grep -i '^ros-kilted-rclpy '
echo "rclpy.init():        the topic camera is $taken"
echo "rclpy.init(args=[]): the topic camera is $given"
[ "$taken" = /left_eye ] && [ "$given" = /camera ]
