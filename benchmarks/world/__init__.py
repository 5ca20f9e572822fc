"""`world`: what scanners, archives, converters and other tools hand in: right, refused, or said."""
