"""`folds`: both networks in folds by patient over all of PHE-SICH, one recipe; then the weights of all."""
