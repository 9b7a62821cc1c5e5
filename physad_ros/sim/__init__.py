"""The MuJoCo rig: arm, gripper, lights, camera, and a simulated twin of each category's objects."""

from physad_ros.sim.gl import choose

choose()  # MuJoCo picks its OpenGL as it is imported, so this comes before every `import mujoco` of this package
