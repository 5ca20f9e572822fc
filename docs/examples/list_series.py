"""List what a study holds, and triage a series by its key."""

import hemx_core as hemx

hemx.phantom(seed=8, growth=1.2, matrix=256, slices=10, out="archive")

series = hemx.list_series("archive")
for summary in series:
    state = "usable" if summary.usable else summary.reason
    print(summary.acquired_at, summary.slices, "slices", summary.plane, state)

later = max(series, key=lambda summary: summary.acquired_at)
result = hemx.triage("archive", series=later.key)
print(result)
