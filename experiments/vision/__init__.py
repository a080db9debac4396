"""Images: MNIST, MNIST with barcodes, ImageNet with heavy tails."""
