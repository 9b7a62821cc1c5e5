"""UR5 kinematics, limits, collision and jerk-limited trajectories. Pure mathematics of the arm; knows no interaction."""
