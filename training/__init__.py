"""Training: from a folder of public data sets to the weights of the reader. Not part of the image."""
