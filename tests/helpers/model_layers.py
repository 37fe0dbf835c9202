"""A case for every layer that can be rebuilt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ROW, SEQUENCE, IMAGE, VOLUME, INDICES, FRAMES = (12,), (8, 4), (8, 8, 4), (4, 4, 4, 2), (6,), (3, 8, 8, 2)
PICTURE, SIGNAL, TEXT = (8, 8, 3), (256,), (1,)
Case = tuple[str, dict[str, Any], tuple[int, ...]]
CORE: list[Case] = [
    ("Dense", {"units": 5, "activation": "relu", "kernel_regularizer": "l2", "kernel_constraint": "max_norm"}, ROW),
    ("Dense", {"units": 5, "use_bias": False, "kernel_initializer": "he_normal"}, SEQUENCE),
    ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 5, "bias_axes": "c"}, ROW),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (None, 3, 2), "bias_axes": "de"}, SEQUENCE),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 5, "activation": "tanh"}, IMAGE),
    ("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 5, "bias_axes": "c"}, SEQUENCE),
    *[("Activation", {"activation": name}, ROW) for name in ("tanh", "selu", "swish", "gelu", "log_softmax")],
    ("Identity", {}, ROW),
    ("Masking", {"mask_value": 0.5}, SEQUENCE),
    ("Flatten", {}, IMAGE),
    ("Reshape", {"target_shape": (3, -1)}, ROW),
    ("Permute", {"dims": (2, 1)}, SEQUENCE),
    ("RepeatVector", {"n": 3}, ROW),
    ("Embedding", {"input_dim": 10, "output_dim": 3, "embeddings_initializer": "glorot_normal"}, INDICES),
    ("Embedding", {"input_dim": 10, "output_dim": 3}, ()),
    ("ReversibleEmbedding", {"input_dim": 10, "output_dim": 3}, INDICES),
    ("ReversibleEmbedding", {"input_dim": 10, "output_dim": 3, "tie_weights": False}, INDICES),
]
ACTIVATIONS: list[Case] = [
    ("ReLU", {"max_value": 3.0, "negative_slope": 0.1, "threshold": 0.2}, ROW),
    ("LeakyReLU", {"negative_slope": 0.1}, ROW),
    ("PReLU", {}, SEQUENCE),
    ("PReLU", {"shared_axes": [1, 2]}, IMAGE),
    ("ELU", {"alpha": 0.5}, ROW),
    ("Softmax", {}, ROW),
]
REGULARIZATION: list[Case] = [
    ("Dropout", {"rate": 0.3, "seed": 4}, ROW),
    ("AlphaDropout", {"rate": 0.3}, ROW),
    ("GaussianDropout", {"rate": 0.3}, ROW),
    ("GaussianNoise", {"stddev": 0.3}, ROW),
    ("SpatialDropout1D", {"rate": 0.3}, SEQUENCE),
    ("SpatialDropout2D", {"rate": 0.3}, IMAGE),
    ("SpatialDropout3D", {"rate": 0.3}, VOLUME),
    ("ActivityRegularization", {"l2": 0.1}, ROW),
]
NORMALIZATION: list[Case] = [
    ("BatchNormalization", {}, ROW),
    ("BatchNormalization", {"scale": False, "axis": 1, "epsilon": 0.01}, IMAGE),
    ("LayerNormalization", {}, SEQUENCE),
    ("LayerNormalization", {"axis": [1, 2], "center": False}, IMAGE),
    ("GroupNormalization", {"groups": 2}, IMAGE),
    ("UnitNormalization", {}, ROW),
    ("RMSNormalization", {}, ROW),
    ("Normalization", {"mean": 2.0, "variance": 3.0}, ROW),
    ("Normalization", {"mean": [0.5] * 4, "variance": [2.0] * 4, "invert": True}, SEQUENCE),
    ("Normalization", {}, SEQUENCE),
    ("Normalization", {"axis": (1, 2)}, SEQUENCE),
    ("Normalization", {"axis": None}, SEQUENCE),
    ("Rescaling", {"scale": 0.5, "offset": 1.0}, IMAGE),
    ("Rescaling", {"scale": [0.5, 1, 2, 3], "offset": 1}, IMAGE),
]
CONVOLUTION: list[Case] = [
    ("Conv1D", {"filters": 6, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, SEQUENCE),
    ("Conv2D", {"filters": 6, "kernel_size": (3, 2), "strides": 2, "groups": 2, "activation": "relu"}, IMAGE),
    ("Conv3D", {"filters": 3, "kernel_size": 2, "padding": "same"}, VOLUME),
    ("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, SEQUENCE),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1}, IMAGE),
    ("Conv3DTranspose", {"filters": 3, "kernel_size": 2}, VOLUME),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, SEQUENCE),
    ("DepthwiseConv2D", {"kernel_size": 3}, IMAGE),
    ("SeparableConv1D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2}, SEQUENCE),
    ("SeparableConv2D", {"filters": 5, "kernel_size": 3, "use_bias": False}, IMAGE),
]
POOLING: list[Case] = [
    *[(f"{kind}Pooling1D", {"pool_size": 2}, SEQUENCE) for kind in ("Max", "Average")],
    *[(f"{kind}Pooling2D", {"pool_size": (2, 3), "padding": "same"}, IMAGE) for kind in ("Max", "Average")],
    *[(f"{kind}Pooling3D", {"pool_size": 2, "strides": 1}, VOLUME) for kind in ("Max", "Average")],
    *[(f"Global{kind}Pooling1D", {}, SEQUENCE) for kind in ("Max", "Average")],
    *[(f"Global{kind}Pooling2D", {"keepdims": True}, IMAGE) for kind in ("Max", "Average")],
    *[(f"Global{kind}Pooling3D", {}, VOLUME) for kind in ("Max", "Average")],
    *[(f"Adaptive{kind}Pooling1D", {"output_size": 3}, SEQUENCE) for kind in ("Max", "Average")],
    *[(f"Adaptive{kind}Pooling2D", {"output_size": (3, 2)}, IMAGE) for kind in ("Max", "Average")],
    *[(f"Adaptive{kind}Pooling3D", {"output_size": 2}, VOLUME) for kind in ("Max", "Average")],
]
SIZES: list[Case] = [
    ("ZeroPadding1D", {"padding": (1, 2)}, SEQUENCE),
    ("ZeroPadding2D", {"padding": ((1, 2), (0, 1))}, IMAGE),
    ("ZeroPadding3D", {"padding": 1}, VOLUME),
    ("Cropping1D", {"cropping": 1}, SEQUENCE),
    ("Cropping2D", {"cropping": ((1, 2), (0, 1))}, IMAGE),
    ("Cropping3D", {"cropping": 1}, VOLUME),
    ("UpSampling1D", {"size": 2}, SEQUENCE),
    ("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, IMAGE),
    ("UpSampling3D", {"size": 2}, VOLUME),
]
RECURRENT: list[Case] = [
    ("SimpleRNN", {"units": 3, "return_sequences": True}, SEQUENCE),
    ("LSTM", {"units": 3, "dropout": 0.2, "go_backwards": True}, SEQUENCE),
    ("GRU", {"units": 3, "reset_after": False}, SEQUENCE),
    ("GRU", {"units": 3, "use_bias": False, "unroll": True}, SEQUENCE),
    ("LSTM", {"units": 3, "return_state": True}, SEQUENCE),
    ("ConvLSTM1D", {"filters": 3, "kernel_size": 2}, (3, 8, 2)),
    ("ConvLSTM2D", {"filters": 3, "kernel_size": 2, "return_sequences": True, "padding": "same"}, FRAMES),
    ("ConvLSTM3D", {"filters": 2, "kernel_size": 2, "use_bias": False}, (2, 4, 4, 4, 2)),
]
CATEGORIES: list[Case] = [
    ("Discretization", {"bin_boundaries": [0.5, 1.0, 1.5]}, ROW),
    ("Discretization", {"bin_boundaries": [0.5, 1.0], "output_mode": "one_hot"}, (1,)),
    ("Discretization", {"bin_boundaries": [0.5, 1.0], "output_mode": "count"}, ROW),
    ("CategoryEncoding", {"num_tokens": 8}, INDICES),
    ("CategoryEncoding", {"num_tokens": 8, "output_mode": "one_hot"}, (1,)),
    ("CategoryEncoding", {"num_tokens": 8, "output_mode": "count"}, INDICES),
]
WORDS: list[Case] = [
    ("Hashing", {"num_bins": 5, "salt": 3}, TEXT),
    ("Hashing", {"num_bins": 5, "mask_value": "fox", "output_mode": "one_hot"}, TEXT),
    ("StringLookup", {"vocabulary": ["the", "fox"], "num_oov_indices": 2}, (4,)),
    ("StringLookup", {"vocabulary": ["the", "fox"], "output_mode": "multi_hot", "mask_token": "dog"}, (4,)),
    (
        "StringLookup",
        {"vocabulary": ["the", "a"], "idf_weights": [0.5, 2.0], "output_mode": "tf_idf", "max_tokens": 9},
        (4,),
    ),
    ("TextVectorization", {"vocabulary": ["the", "fox"], "output_sequence_length": 3}, TEXT),
    ("TextVectorization", {"vocabulary": ["t", "h"], "split": "character", "output_mode": "count"}, TEXT),
    (
        "TextVectorization",
        {
            "vocabulary": ["the", "a"],
            "idf_weights": [0.5, 2.0],
            "output_mode": "tf_idf",
            "ngrams": 2,
            "standardize": None,
        },
        TEXT,
    ),
]
NUMBERS: list[Case] = [
    ("Hashing", {"num_bins": 5, "output_mode": "count"}, (4,)),
    ("IntegerLookup", {"vocabulary": [1, 4, 2]}, (4,)),
    ("IntegerLookup", {"vocabulary": [1, 4], "num_oov_indices": 3, "oov_method": "farmhash", "salt": 4}, (4,)),
    ("IntegerLookup", {"vocabulary": [1, 4], "output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True}, (4,)),
    ("StringLookup", {"vocabulary": ["a", "b", "c", "d", "e"], "invert": True}, (4,)),
]
PICTURES: list[Case] = [
    ("Resizing", {"height": 4, "width": 5, "interpolation": "nearest"}, PICTURE),
    ("Resizing", {"height": 4, "width": 5, "crop_to_aspect_ratio": True, "antialias": True}, PICTURE),
    ("CenterCrop", {"height": 4, "width": 5}, PICTURE),
    ("RandomCrop", {"height": 4, "width": 5}, PICTURE),
    ("RandomFlip", {"mode": "horizontal", "seed": 3}, PICTURE),
    ("RandomRotation", {"factor": 0.2, "fill_mode": "constant"}, PICTURE),
    ("RandomZoom", {"height_factor": (-0.2, 0.1)}, PICTURE),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": (-0.2, 0.3)}, PICTURE),
    ("RandomShear", {"x_factor": 0.2, "y_factor": (0.1, 0.3)}, PICTURE),
    ("RandomPerspective", {"factor": 0.5, "scale": 0.3}, PICTURE),
    ("RandomColorJitter", {"brightness_factor": 0.3, "hue_factor": (0.1, 0.2)}, PICTURE),
    ("RandomPosterization", {"factor": 4}, PICTURE),
    ("RandomErasing", {"factor": 0.5, "scale": (0.1, 0.2), "fill_value": 3.0}, PICTURE),
    ("RandomGaussianBlur", {"kernel_size": (3, 5), "sigma": 0.5}, PICTURE),
    ("RandomGrayscale", {"factor": 0.3}, PICTURE),
    ("RandomElasticTransform", {"factor": 0.5}, PICTURE),
    ("RandAugment", {"num_ops": 3}, PICTURE),
    ("AugMix", {"num_chains": 2}, PICTURE),
    ("Solarization", {"addition_factor": 0.2, "threshold_factor": (0.1, 0.5)}, PICTURE),
    ("AutoContrast", {}, PICTURE),
    ("Equalization", {"bins": 16, "dtype": "uint8"}, PICTURE),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 2)}, PICTURE),
    ("CutMix", {"factor": 0.5}, PICTURE),
    ("MixUp", {"alpha": 0.3}, PICTURE),
    *[
        (f"Random{kind}", {"factor": 0.3, "value_range": (0, 1)}, PICTURE)
        for kind in ("Brightness", "ColorDegeneration", "Contrast", "Hue", "Invert", "Saturation", "Sharpness")
    ],
]
SOUND: list[Case] = [
    ("MelSpectrogram", {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8, "sampling_rate": 1000}, SIGNAL),
    ("STFTSpectrogram", {"frame_length": 32, "frame_step": 16, "fft_length": 64}, (256, 1)),
    ("STFTSpectrogram", {"frame_length": 32, "mode": "real", "expand_dims": True, "padding": "same"}, (256, 2)),
]
BY_DTYPE: list[tuple[str, list[Case]]] = [
    ("string", WORDS),
    ("int64", NUMBERS),
    (
        "float32",
        [
            *CORE,
            *ACTIVATIONS,
            *REGULARIZATION,
            *NORMALIZATION,
            *CONVOLUTION,
            *POOLING,
            *SIZES,
            *RECURRENT,
            *CATEGORIES,
            *PICTURES,
            *SOUND,
        ],
    ),
]
CASES = [(dtype, *case) for dtype, cases in BY_DTYPE for case in cases]
Wrapped = Callable[[Any], list[Any]]


def two_directions(layers: Any) -> list[Any]:
    backward = layers.LSTM(3, activation="relu", go_backwards=True)
    return [layers.Bidirectional(layers.LSTM(3), backward_layer=backward)]


def several_cells(layers: Any) -> list[Any]:
    cells = [layers.LSTMCell(3, dropout=0.1), layers.GRUCell(2, reset_after=False), layers.SimpleRNNCell(4)]
    return [layers.RNN(cells, return_state=True)]


def model_in_time(layers: Any) -> list[Any]:
    import keras

    inner = [keras.Input((4,)), layers.Dense(3, "tanh"), layers.BatchNormalization()]
    return [layers.TimeDistributed(keras.Sequential(inner))]


def graph_in_time(layers: Any) -> list[Any]:
    import keras

    rows = keras.Input((4,))
    return [layers.TimeDistributed(keras.Model(rows, layers.Add()([layers.Dense(4)(rows), rows])))]


def after_a_mask(layers: Any) -> list[Any]:
    return [
        layers.Embedding(9, 4, mask_zero=True),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(2)),
        layers.RNN([layers.GRUCell(2), layers.GRUCell(2)]),
    ]


WRAPPED: dict[str, tuple[tuple[int, ...], Wrapped]] = {
    "RNN": (SEQUENCE, lambda k: [k.RNN(k.LSTMCell(3, activation="relu"), return_sequences=True)]),
    "RNN of several": (SEQUENCE, several_cells),
    "Bidirectional LSTM": (SEQUENCE, lambda k: [k.Bidirectional(k.LSTM(3), merge_mode="sum")]),
    "Bidirectional GRU": (SEQUENCE, lambda k: [k.Bidirectional(k.GRU(3, return_sequences=True))]),
    "Bidirectional RNN": (SEQUENCE, lambda k: [k.Bidirectional(k.RNN(k.GRUCell(3)))]),
    "Bidirectional of two": (SEQUENCE, two_directions),
    "Bidirectional ConvLSTM": (FRAMES, lambda k: [k.Bidirectional(k.ConvLSTM2D(2, 2))]),
    "TimeDistributed": (SEQUENCE, lambda k: [k.TimeDistributed(k.Dense(3))]),
    "TimeDistributed convolution": (FRAMES, lambda k: [k.TimeDistributed(k.Conv2D(3, 2))]),
    "TimeDistributed model": (SEQUENCE, model_in_time),
    "TimeDistributed functional": (SEQUENCE, graph_in_time),
    "TimeDistributed twice": ((2, 3, 4), lambda k: [k.TimeDistributed(k.TimeDistributed(k.Dense(2)))]),
    "TimeDistributed recurrent": ((2, 3, 4), lambda k: [k.TimeDistributed(k.Bidirectional(k.LSTM(2)))]),
    "SpectralNormalization": (IMAGE, lambda k: [k.SpectralNormalization(k.Conv2D(3, 2))]),
    "SpectralNormalization dense": (ROW, lambda k: [k.SpectralNormalization(k.Dense(3), power_iterations=2)]),
    "Pipeline": (PICTURE, lambda k: [k.Pipeline([k.Rescaling(0.1), k.RandomFlip(), k.CenterCrop(4, 4)])]),
    "Pipeline with weights": (SEQUENCE, lambda k: [k.Pipeline([k.Normalization(), k.Dense(3)])]),
    "after a mask": (INDICES, after_a_mask),
}
