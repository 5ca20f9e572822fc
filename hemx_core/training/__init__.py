"""Training of the two stages and the GAN, with Lightning; scores are in `scoring`."""
