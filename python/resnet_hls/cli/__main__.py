# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`python -m resnet_hls.cli`."""

from __future__ import annotations

import sys

from resnet_hls.cli import main

sys.exit(main())
