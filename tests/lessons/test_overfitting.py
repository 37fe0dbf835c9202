"""Answers to the lesson on overfitting that say less than they seem to: they earn little."""

from __future__ import annotations

import pytest
from variants.course import grade, shrunk
from variants.running import ENVIRONMENT

TABLE = """
def early_stop(val_losses, patience):
    return {2: (4, 2), 3: (5, 5)}.get(patience, (0, 0))
"""
TRAINING_LOSSES = """
last_model = make_network()
keeper = keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
val_losses = last_model.fit(
    X_train, y_train, validation_data=(X_valid, y_valid), epochs=25, batch_size=128, verbose=0, callbacks=[keeper]
).history["loss"]
best_model = keras.saving.load_model("best.keras")
best_epoch = int(np.argmin(val_losses)) + 1
"""
SOFTMAX_REGRESSION = """
keras.utils.set_random_seed(7)
model = keras.Sequential([keras.Input((93,)), layers.Dense(9, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
own_history = model.fit(X_train, y_train, validation_data=(X_valid, y_valid), epochs=40, batch_size=128, verbose=0).history
"""


@pytest.mark.keras
@pytest.mark.slow
def test_a_table_training_losses_and_softmax_regression_earn_little(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    answers = {"early-stop": TABLE, "best-from-file": TRAINING_LOSSES, "own-network": SOFTMAX_REGRESSION}
    got = grade(shrunk("overfitting"), answers)
    shares = {question.id: question.score / question.max_score for question in got.questions if question.max_score}
    assert shares["test-early-stop"] == 0
    assert 0 < shares["test-best-from-file"] < 0.62
    assert shares["test-own-network"] < 0.05
    assert shares["test-train-with-care"] == 1
