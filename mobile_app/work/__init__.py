"""What runs beside the screens: jobs, the models, the memory guard, the library of studies."""
