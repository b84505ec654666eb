# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The reference process: `python -m resnet_hls.simulate._oracle_worker MODEL.onnx`, started by `OracleProcess`.

Reads images (numpy's format) from standard input and writes the model's outputs to standard output. It runs beside the
compiler, which would lose half a second to onnxruntime otherwise.
"""

from __future__ import annotations

import io
import os
import sys


def main() -> int:
    """Returns the exit status; the line of an error goes to standard error."""
    import numpy as np

    from resnet_hls.errors import UserError
    from resnet_hls.simulate.oracle import OnnxOracle

    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print into the result
    images = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
    try:
        outputs = OnnxOracle(sys.argv[1], threads=1).run(images)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    content = io.BytesIO()  # numpy wants to seek in what it writes
    np.save(content, outputs, allow_pickle=False)
    channel.write(content.getvalue())
    channel.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
