"""Fresh processes in turns, outputs compared before speeds: shared by all measurements."""
