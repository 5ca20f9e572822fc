"""Compare two scans of a patient: growth with its interval, and expansion by three definitions."""

import hemx_core as hemx

# The same synthetic patient hours later, with 1.8 times the blood.
hemx.phantom(seed=3, volume_ml=20, growth=1.8, matrix=256, out="patient")

result = hemx.compare("patient/baseline", "patient/follow_up")
print(f"{result.growth.ml:+.1f} mL")
if result.growth.ml_interval is not None:  # the bundle's models were measured on known growth
    low, high = result.growth.ml_interval
    print(f"90 % interval {low:+.1f} to {high:+.1f} mL")
for code, answer in result.growth.answers.items():
    print(code, answer)
print(result.later.recommendation)

result.save("comparison")  # comparison.json and comparison.png
