"""Meta-learning of MPN: a target network that one step down a few windows' gradient fits to the clip they are from.

Lv et al. (the meta-prototype unit), after Finn et al., ICML 2017, with a learnt step size for each number as in Li et al., Meta-SGD.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.func import functional_call

from physad_ros.detectors.mpn.network import Made, PrototypeNetwork

Weights = dict[str, torch.Tensor]  # of the target, by name
Loss = Callable[[Made, torch.Tensor], torch.Tensor]  # of what was made, and the frame that it should have been


def initial(network: PrototypeNetwork) -> Weights:
    """The weights that every adaptation begins at."""
    return dict(network.target.named_parameters())


def make(network: PrototypeNetwork, weights: Weights, features: torch.Tensor) -> Made:
    """What the target makes of features (B, C, H, W) with other weights than its own."""
    made: Made = functional_call(network.target, weights, (features,))
    return made


def adapted(network: PrototypeNetwork, loss: Loss, features: torch.Tensor, frames: torch.Tensor, learn: bool) -> Weights:
    """Weights after one step on windows' features (B, C, H, W) and their frames (B, C', H, W).

    ``learn``: gradients pass through the step, to the initial weights and the step sizes.
    """
    weights = initial(network)
    error = loss(make(network, weights, features), frames)
    slopes = torch.autograd.grad(error, list(weights.values()), create_graph=learn)
    moved = (w - size * slope for w, size, slope in zip(weights.values(), network.step_sizes, slopes))
    return {name: w if learn else w.detach() for name, w in zip(weights, moved)}


def task_loss(network: PrototypeNetwork, loss: Loss, features: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Loss on the second half of a clip's windows (B, …) of weights that were adapted to the first half."""
    half = len(frames) // 2
    weights = adapted(network, loss, features[:half], frames[:half], learn=True)
    return loss(make(network, weights, features[half:]), frames[half:])
