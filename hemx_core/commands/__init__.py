"""The command line: one file a group of commands; heavy packages are imported when a command runs."""
