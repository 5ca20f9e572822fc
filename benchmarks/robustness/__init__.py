"""`robustness`: damage, attack, kills, a full disk, planted names: nothing lost, nothing in, nothing out."""
