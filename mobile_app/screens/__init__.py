"""The app's screens: one module each, beside its layout."""
