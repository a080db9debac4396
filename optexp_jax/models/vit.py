"""The simple vision transformer."""

from __future__ import annotations

import dataclasses

import flax.linen as nn
import jax

from optexp_jax.errors import OptexpError
from optexp_jax.field_checks import check_sizes
from optexp_jax.models.block import block_class, layer_norm
from optexp_jax.models.dense import dense
from optexp_jax.models.initializers import TransformerInit
from optexp_jax.models.positions import positions_in_plane
from optexp_jax.registry import register


@register("SimpleViT")
class SimpleViT(nn.Module):
    """A transformer on patches of an image, whose last outputs are averaged; S/16 by default.

    Patches are normalised, projected and normalised again, and given fixed positions; blocks are
    `x + f(N(x))` with GELU; there is no class token and no dropout.

    Args:
        num_classes: number of logits.
        patch: height and width of a patch, a divisor of those of the images.
        depth: number of blocks.
        num_heads: number of heads.
        width: of the residual stream, a multiple of 4.
        width_mlp: hidden units of the MLPs.
        head_width: channels of one head.
        init_values: initialisers of the blocks; other layers have PyTorch's default.
        dtype: of the computation, None for that of the parameters.
        remat: whether blocks are computed again in the backward pass; no part of an identity.

    Raises:
        OptexpError: an impossible size, or images that are not made of patches.

    >>> import jax.numpy as jnp
    >>> model = SimpleViT(num_classes=3, patch=4, depth=1, num_heads=2, width=8, width_mlp=16)
    >>> images = jnp.ones((2, 8, 8, 1))
    >>> jax.eval_shape(model.init_with_output, jax.random.key(0), images)[0].shape
    (2, 3)

    Source: Beyer et al., Better plain ViT baselines, 2022; the paper, figures 16 and 17.
    """

    num_classes: int
    patch: int = 16
    depth: int = 12
    num_heads: int = 6
    width: int = 384
    width_mlp: int = 1536
    head_width: int = 64
    init_values: TransformerInit = TransformerInit.of_torch_linear()
    dtype: None = None
    remat: bool = dataclasses.field(default=False, compare=False)

    def __post_init__(self) -> None:
        sizes = ("num_classes", "patch", "depth", "num_heads", "width", "width_mlp", "head_width")
        check_sizes(self, *sizes)
        if self.width % 4:
            raise OptexpError(
                f"width of SimpleViT must be a multiple of 4, not {self.width}.",
                code="not-a-multiple",
                field="width",
                kind="SimpleViT",
                value=self.width,
                of=4,
            )
        super().__post_init__()

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Logits `[n, num_classes]` of images `[n, height, width, channels]`."""
        patches = self._patches(images)
        rows, columns = patches.shape[1:3]
        patches = patches.reshape(len(images), rows * columns, -1)
        project = dense(self.width, patches.shape[-1], dtype=self.dtype, name="embedding")
        stream = self._norm("embedding_norm")(project(self._norm("patch_norm")(patches)))
        stream += positions_in_plane(rows, columns, self.width).astype(stream.dtype)
        for number in range(self.depth):
            block = block_class(self.remat)(
                self.num_heads,
                self.width_mlp,
                norm="pre",
                activation="gelu",
                causal=False,
                head_width=self.head_width,
                attention_bias=False,
                init_values=self.init_values,
                dtype=self.dtype,
                name=f"block_{number}",
            )
            stream = block(stream, False)
        features = self._norm("norm")(stream).mean(axis=1)
        return dense(self.num_classes, self.width, dtype=self.dtype, name="head")(features)

    def _norm(self, name: str) -> nn.LayerNorm:
        return layer_norm(self.init_values.norm_weight, self.dtype, name)

    def _patches(self, images: jax.Array) -> jax.Array:
        n, height, width, channels = images.shape
        size = self.patch
        if height % size or width % size:
            raise OptexpError(
                f"Images of {height} x {width} pixels cannot be split into patches of {size} x "
                f"{size}: give SimpleViT another patch size.",
                code="patches-do-not-fit",
                height=height,
                width=width,
                size=size,
            )
        shape = (n, height // size, size, width // size, size, channels)
        return images.reshape(shape).swapaxes(2, 3)
