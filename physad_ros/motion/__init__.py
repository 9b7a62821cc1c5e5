"""UR5 kinematics, limits, collision and jerk-limited trajectories. Knows no interaction."""
