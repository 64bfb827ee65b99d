"""Documents to passages to vectors to hits: everything that happens before a question is read.

The package takes plain arguments, never reads the environment and imports nothing of `service`, `eval` or `training`.
"""

import os

# Nothing leaves the machine. ONNX Runtime (from 1.29 on) reports its use to its makers unless it is told not to before
# it is first imported, and so does the Hugging Face library; importing this package comes before importing either.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
