"""Runtimes that execute exported graphs behind one protocol, without torch on the device."""
