"""The public assignments that are compared."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.answer_courses import AnswerCourse, Place

_MNIST = "its expected numbers are those of MNIST, which is not compared"
_CS231N = Place("mantasu/cs231n", "3055b1c54e4fcb5b7a00ea381922a2dd1437a30a")
_CS231N_MARKS = (
    "*****START OF YOUR CODE (DO NOT DELETE/MODIFY THIS LINE)*****",
    "*****END OF YOUR CODE (DO NOT DELETE/MODIFY THIS LINE)*****",
)
COURSES: Mapping[str, AnswerCourse] = {
    "stanford_cs231n_a1": AnswerCourse(
        solved=Place(_CS231N.repository, _CS231N.commit, "assignment1"),
        marks=_CS231N_MARKS,
        answers=(
            "cs231n/layers.py",
            "cs231n/optim.py",
            "cs231n/classifiers/fc_net.py",
            "cs231n/classifiers/k_nearest_neighbor.py",
            "cs231n/classifiers/linear_*.py",
            "cs231n/classifiers/softmax.py",
        ),
        given=(
            "cs231n/__init__.py",
            "cs231n/classifiers/__init__.py",
            "cs231n/layer_utils.py",
            "cs231n/gradient_check.py",
        ),
    ),
    "stanford_cs231n_a2": AnswerCourse(
        solved=Place(_CS231N.repository, _CS231N.commit, "assignment2"),
        marks=_CS231N_MARKS,
        answers=("cs231n/layers.py", "cs231n/optim.py"),
        given=("cs231n/__init__.py", "cs231n/gradient_check.py"),
    ),
    "cmu_10714_hw1": AnswerCourse(
        solved=Place("Camuslu/dlsyscourse-hw1", "ee8a514c03557f6b66dad1dbf7644f659c5c5cfe"),
        marks=("BEGIN YOUR SOLUTION", "END YOUR SOLUTION"),
        stub="raise NotImplementedError()",
        answers=("python/needle", "apps"),
        tests="tests/hw1",
        leave_out={
            "test_softmax_loss_ndl": _MNIST,
            "test_nn_epoch_ndl": _MNIST,
            "test_ewisepow_forward": "this solution stands outside of the marks",
            "test_matmul_batched_backward": "its 37,000 questions take longer than a test cell may",
            "test_compute_gradient": "its 9,000 questions take too long for this comparison",
        },
    ),
    "cmu_11785_hw4p1": AnswerCourse(
        solved=Place("puru-samal/IDL-HW4", "9b3855a7a75c3670dd4e041592d7f2a9a2d133f9"),
        cut=("forward", "backward", "_merge_masks", "_split_heads", "_concat_heads"),
        answers=("mytorch/nn",),
        given=("mytorch/__init__.py",),
        tests="tests/test_mytorch_*.py",
    ),
    "umich_eecs498_a1": AnswerCourse(
        solved=Place(
            "Polarisoo/eecs498-598-dlcv-wi2022",
            "d4614a350b6e6bcad40374624215b75103354586",
            "assignments/a1-pytorch-knn",
        ),
        marks=('Replace "pass" statement with your code', "END OF YOUR CODE"),
        answers=("knn.py", "pytorch101.py"),
    ),
    "umich_eecs498_a2": AnswerCourse(
        solved=Place(
            "Polarisoo/eecs498-598-dlcv-wi2022",
            "d4614a350b6e6bcad40374624215b75103354586",
            "assignments/a2-linear-classifiers",
        ),
        marks=('Replace "pass" statement with your code', "END OF YOUR CODE"),
        answers=("linear_classifier.py", "two_layer_net.py"),
    ),
    "amsterdam_dl1_a1": AnswerCourse(
        solved=Place("JonaRuthardt/uvadlc_practicals_2022", "0e9536d84ff3c3439f963ad8c7c7088ec1828262", "assignment1"),
        marks=("PUT YOUR CODE HERE", "END OF YOUR CODE"),
        answers=("modules.py", "mlp_numpy.py"),
    ),
    "stanford_cs224n_a3": AnswerCourse(
        solved=Place("alchemz/neural-dependency-parser-pytorch", "03333758e2e34ef13397f4bd0b098c873fb9043c"),
        marks=("YOUR CODE HERE", "END YOUR CODE"),
        answers=("parser_transitions.py",),
    ),
    "harvard_tinytorch_01": AnswerCourse(
        solved=Place("MLSysBook/TinyTorch", "02364f800abce3507cedbe9b5053078abd92b6d3"),
        answers=("tinytorch/core/tensor.py",),
        given=("tinytorch/core/__init__.py",),
        tests="tests/01_tensor/test_tensor_core.py",
    ),
    "tum_i2dl_ex05": AnswerCourse(
        solved=Place("AleksiKaa/i2dl", "3b2f897ed685054956bf2195a6916a3ab4533c20", "exercise_05"),
        marks=("TODO:", "END OF YOUR CODE"),
        answers=("exercise_code/networks/layer.py", "exercise_code/networks/optimizer.py"),
        given=("exercise_code/**/*.py",),
    ),
    "stanford_cs336_a1": AnswerCourse(
        skeleton=Place("stanford-cs336/assignment1-basics", "25a8a49f6460c83a30416d42348f2ef11d1dd185"),
        solved=Place("donglinkang2021/cs336-assignment1-basics", "c7bd4a373c1c56fc6cb02cc3f848c13d02a2b825"),
        answers=("cs336_basics/*.py", "tests/adapters.py"),
        given=("tests/__init__.py", "tests/conftest.py", "tests/common.py", "tests/_snapshots/*.npz"),
        tests="tests/test_[dmno]*.py",
        leave_out=dict.fromkeys(
            (
                *("test_linear", "test_embedding", "test_swiglu", "test_multihead_self_attention", "test_rmsnorm"),
                *("test_multihead_self_attention_with_rope", "test_transformer_lm", "test_transformer_block"),
                "test_transformer_lm_truncated_input",
            ),
            "it needs weights that the copy lacks",
        ),
    ),
    "cornell_minitorch_0": AnswerCourse(
        skeleton=Place("minitorch/Module-0", "0e47013afcb065a3bdb793536ce01359e5bd2ef8"),
        solved=Place("minitorch/minitorch-module-0-WillMatthews", "b172e41443b3237851f653dbd1d5b812d9db7564"),
        answers=("minitorch/operators.py",),
        given=("minitorch/*.py", "tests/__init__.py", "tests/strategies.py"),
        tests="tests/test_operators.py",
        leave_out=dict.fromkeys(
            (
                "test_sigmoid",
                "test_transitive",
                "test_symmetric",
                "test_distribute",
                "test_other",
                "test_sum_distribute",
            ),
            "students write this test",
        ),
    ),
}
