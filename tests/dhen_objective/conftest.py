"""One thread: the tests' matrices are too small for more, and other processes may run beside."""

import torch
from hypothesis import settings

torch.set_num_threads(1)

settings.register_profile("steady", deadline=None, derandomize=True)  # the first call imports
settings.load_profile("steady")
