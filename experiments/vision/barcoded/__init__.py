"""A CNN on MNIST whose barcodes make 10,240 rare classes."""
