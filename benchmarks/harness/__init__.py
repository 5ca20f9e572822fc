"""Fresh processes in turns, outputs compared before speeds: what every measurement here shares."""
