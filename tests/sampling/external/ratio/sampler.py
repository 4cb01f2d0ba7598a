"""OpenTelemetry's own consistent sampler, of the Python SDK: for each ratio, what it writes into `tracestate` and which of
the trace ids it keeps. Ratios and ids are lines of the input with an empty one between them; a ratio is a fraction of 2^56.
"""

import sys

from opentelemetry.sdk.trace._sampling_experimental import composable_traceid_ratio_based, composite_sampler

ratios, ids = sys.stdin.read().strip().split("\n\n")
ids = [int(line, 16) for line in ids.splitlines()]
for ratio in ratios.splitlines():
    sampler = composite_sampler(composable_traceid_ratio_based(int(ratio) / 2**56))
    written, kept = set(), bytearray()
    for trace_id in ids:
        result = sampler.should_sample(None, trace_id, "span")
        kept += b"1" if result.decision.is_sampled() else b"0"
        if result.decision.is_sampled():
            written.add(result.trace_state["ot"])
    print(" ".join(sorted(written)) or "-", kept.decode())
