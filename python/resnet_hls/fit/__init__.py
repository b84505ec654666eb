# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How fast a network can be on each board, and for what: many designs, computed side by side, compared.

`points.py` computes one design, `store.py` keeps what is computed, `run.py` hands out the work, `table.py` and
`plot.py` show it. Dask and plotly are imported where they are used: `pip install 'resnet-hls[fit]'` brings them.
"""
