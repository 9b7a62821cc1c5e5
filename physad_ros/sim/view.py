"""One picture of a specimen on the rig: ``python -m physad_ros.sim.view --category fan --seed 1 --out fan.png``."""

from __future__ import annotations

import argparse

import cv2

from physad_ros.sim.rig import Rig
from physad_ros.sim.scene import Eye
from physad_ros.sim.specimen import random_specimen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--category", help="default: any")
    parser.add_argument("--object", help="default: any")
    parser.add_argument("--defect", help="default: any or none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 360), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--overview", action="store_true", help="the whole rig, not through its camera")
    parser.add_argument("--out", required=True, help="picture to write")
    given = parser.parse_args()
    specimen = random_specimen(given.seed, given.category, given.object, given.defect)
    rig = Rig(tuple(given.size), specimen)
    picture = rig.render().picture
    if given.overview:
        rig.model.vis.headlight.diffuse[:] = 0.9  # for the onlooker; the rig's own lights are for its camera
        eye = Eye(rig.scene)
        picture = eye.see("overview")
        eye.close()
    rig.close()
    if not cv2.imwrite(given.out, picture):
        parser.error(f"cannot write {given.out}")
    print(specimen)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
