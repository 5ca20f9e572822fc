"""Background work: jobs, the models, the memory guard, the library of studies."""
