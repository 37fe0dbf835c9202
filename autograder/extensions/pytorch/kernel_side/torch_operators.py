"""The operators of PyTorch of which a graph may consist: a closed list, for kernel and examiner alike.

Each is an overload of ``torch.ops.aten`` that changes none of its arguments and checks its indices. Operators for
layers are kept whole (``linear``, ``batch_norm``, ``lstm``), because they are what a test names and what a training
treats. Whatever is not in the list is decomposed into Core ATen, which is.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _overloads(text: str) -> frozenset[str]:
    return frozenset(word if "." in word else word + ".default" for word in text.split())


CALCULATIONS = _overloads("""
    abs acos asin atan atan2 ceil celu clamp clamp.Tensor clamp_max clamp_min cos cosh elu erf exp exp2 expm1 floor
    gelu hardsigmoid hardswish hardtanh leaky_relu log log10 log1p log2 log_sigmoid mish neg prelu reciprocal relu relu6
    round rsqrt selu sigmoid sign silu sin sinh softplus sqrt square tan tanh threshold trunc isnan isinf
    add.Tensor add.Scalar sub.Tensor sub.Scalar rsub.Scalar rsub.Tensor mul.Tensor mul.Scalar div.Tensor div.Scalar
    div.Tensor_mode div.Scalar_mode floor_divide floor_divide.Scalar remainder.Scalar remainder.Tensor fmod.Scalar
    pow.Tensor_Scalar pow.Tensor_Tensor pow.Scalar maximum minimum max.other min.other lerp.Scalar lerp.Tensor
    addcmul addcdiv eq.Scalar eq.Tensor ne.Scalar ne.Tensor gt.Scalar gt.Tensor ge.Scalar ge.Tensor lt.Scalar lt.Tensor
    le.Scalar le.Tensor logical_and logical_or logical_not logical_xor bitwise_and.Tensor bitwise_or.Tensor bitwise_not
    where.self where.ScalarOther where.ScalarSelf where.Scalar masked_fill.Scalar masked_fill.Tensor nan_to_num
    softmax.int log_softmax.int _softmax _log_softmax cumsum cumprod logcumsumexp glu
    mean.dim sum.dim_IntList amax amin max.dim min.dim argmax argmin var.correction var.dim std.correction std.dim
    var_mean.correction prod.dim_int logsumexp linalg_vector_norm norm.ScalarOpt_dim any.dim all.dim topk sort
    matmul mm bmm mv addmm baddbmm einsum outer cosine_similarity pairwise_distance cdist
    fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn fft_ifftn fft_rfftn fft_irfftn
    index_put scatter_add scatter_reduce.two index_add
""")
"""Operators that compute numbers from numbers."""
ARRANGEMENTS = _overloads("""
    alias clone contiguous detach _to_copy type_as lift_fresh_copy view _unsafe_view reshape flatten.using_ints
    unflatten.int squeeze squeeze.dim squeeze.dims unsqueeze permute transpose.int t movedim.int movedim.intlist
    swapaxes expand expand_as view_as reshape_as slice.Tensor select.int narrow index_select gather index.Tensor
    cat stack hstack vstack concat split.Tensor split.sizes split_with_sizes chunk unbind.int flip roll repeat tile
    repeat_interleave.self_int diagonal tril triu pad constant_pad_nd pixel_shuffle pixel_unshuffle
    channel_shuffle one_hot numpy_T mT real imag view_as_real view_as_complex
    unfold copy slice_scatter select_scatter diagonal_scatter scatter.src scatter.value masked_scatter
""")
"""Operators that only move numbers."""
SOURCES = _overloads("""
    zeros ones full eye eye.m arange arange.start arange.start_step zeros_like ones_like full_like new_zeros new_ones
    new_full scalar_tensor
""")
"""Operators that make numbers of nothing."""
DRAWS = _overloads("""
    rand randn rand_like randn_like bernoulli bernoulli.p normal.Tensor_Tensor normal.Tensor_float normal.float_Tensor
    normal.float_float normal_functional uniform exponential
""")
"""Operators that draw at random, as an autoencoder draws its code, in evaluation mode, too."""
DRAWS_IN_PLACE = _overloads("normal_ uniform_ exponential_ bernoulli_.float bernoulli_.Tensor")
"""Operators that fill a tensor with draws. They are in no graph: each is written down as one that gives a tensor."""
DRAWN = 0.5
"""What each of them gives where the outputs of a module and its graph are compared."""
LAYERS = _overloads("""
    linear conv1d conv2d conv3d conv1d.padding conv2d.padding conv3d.padding convolution conv_transpose1d
    conv_transpose2d.input conv_transpose3d.input max_pool1d max_pool2d max_pool3d max_pool2d_with_indices
    avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d
    adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
    batch_norm _native_batch_norm_legit_no_training layer_norm native_layer_norm
    group_norm native_group_norm instance_norm rms_norm embedding embedding_bag.padding_idx
    lstm.input gru.input rnn_tanh.input rnn_relu.input lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell
    dropout feature_dropout alpha_dropout scaled_dot_product_attention
    upsample_nearest1d.vec upsample_nearest2d.vec upsample_linear1d.vec upsample_bilinear2d.vec upsample_bicubic2d.vec
    upsample_nearest1d upsample_nearest2d upsample_linear1d upsample_bilinear2d
    grid_sampler grid_sampler_2d affine_grid_generator im2col col2im
""")
"""Operators that are layers of a network."""
SIZES = _words("sym_size.int add sub mul floordiv mod getitem")
"""Computations with sizes, and the choice of one of several results."""
OPERATORS = CALCULATIONS | ARRANGEMENTS | SOURCES | DRAWS | LAYERS
"""All operators on tensors."""
VIEWS = _words("""
    alias contiguous detach view reshape flatten unflatten squeeze unsqueeze permute transpose t movedim swapaxes expand
    expand_as view_as reshape_as slice select narrow unfold split split_with_sizes chunk unbind diagonal numpy_T mT to
    _unsafe_view getitem lift_fresh_copy real imag view_as_real view_as_complex
""")
"""Operators whose result may share its memory with an argument."""

INITIALIZERS = ("linear", "bias", "embedding", "recurrent", "xavier", "ones", "zeros", "own", "parametrized")
"""How PyTorch draws a parameter anew, see :mod:`autograder.extensions.pytorch.initializers`."""
MAX_NODES = 5_000
"""Most operators of a graph."""
