"""Modules of experiments that several figures are drawn from, by what is learned there."""

GPT = "bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats_long"
PTB = "imbalance.PTB_with_class_stats"
ONE_LAYER = "simpler_transformers.basic_one_layer_perclass"
LAST_LAYER = "simpler_transformers.train_only_last_layer_perclass"
LINEAR = "toy_models.balanced_x_perclass"
BELOW_EDGE = "beyond.edge"  # LINEAR at smaller learning rates
MNIST = "vision.mnist_only"
BARCODED = "vision.barcoded.mnist_and_barcoded_perclass"
RARE_IMAGES = "vision.imagenet.resnet18_heavy_tailed"
