# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The `hls` dialect: dataflow regions, tasks and streams. See README.md in this folder for the rationale."""

from resnet_hls.dialects.hls.hls import *  # noqa: F403
from resnet_hls.dialects.hls.hls import load as load
