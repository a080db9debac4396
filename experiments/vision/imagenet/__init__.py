"""ResNet-18 and a vision transformer on ImageNet and its subsets: shown, but not in the code."""
