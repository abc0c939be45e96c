"""The simple methods that a network has to beat, one for each task; from scikit-learn where it has them.

What a method leaves open (neighbours, strength of regularisation, order) is chosen on the validation part.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from dlcompare.comparison.task import Examples, Form, Part, Task, judged
from dlcompare.models import NGram
from dlcompare.training import IGNORED

__all__ = ["Outcome", "baseline", "best_constant", "character_ngrams", "nearest_neighbours", "seasonal_naive", "tfidf"]

_NEIGHBOURS = (1, 3, 5)
_STRENGTHS = (1.0, 10.0)
_ORDERS = range(4, 8)


@dataclass(frozen=True)
class Outcome:
    """What a method is worth that isn't trained by gradients.

    Parameters
    ----------
    validation, test
        metrics by their names, as :meth:`Task.measure` has them.
    configuration
        what was chosen, and how.
    parameters
        numbers that were fitted; None where there is no such count.
    """

    validation: dict[str, float]
    test: dict[str, float]
    configuration: dict[str, Any]
    parameters: int | None = None


def baseline(task: Task, examples: Examples, seed: int) -> Outcome:
    """Return what the task's simple method is worth; ``seed`` changes nothing but what it has changed in the data.

    Raises
    ------
    ModuleNotFoundError
        when scikit-learn is needed and not installed.
    """
    form = examples.form
    if form.answer == "next":
        return character_ngrams(task, examples)
    if form.kind == "series" and form.size_in == 1:
        return seasonal_naive(task, examples)
    if form.kind == "image":
        return nearest_neighbours(task, examples)
    if form.end is not None:
        return tfidf(task, examples)
    return best_constant(task, examples)


def _sklearn(module: str) -> ModuleType:
    try:
        return importlib.import_module(f"sklearn.{module}")
    except ModuleNotFoundError as reason:
        raise ModuleNotFoundError(
            f"the baselines need scikit-learn: pip install 'dlcompare[comparison]' ({reason})", name="sklearn"
        ) from reason


def _judged(outputs: Tensor, part: Part, form: Form, *, probabilities: bool = True) -> dict[str, float]:
    found = judged(outputs, part, form)
    return found if probabilities else {name: value for name, value in found.items() if name != "loss"}


def nearest_neighbours(task: Task, examples: Examples) -> Outcome:
    """K nearest neighbours by the distance between pixels (Fix & Hodges 1951), for classes of images.

    Of the parts, ``inputs`` are (n, …) and ``targets`` (n,). There is no loss among the metrics: shares of a few
    neighbours are no probabilities.

    Raises
    ------
    ModuleNotFoundError
        when scikit-learn is not installed.
    """
    neighbors = _sklearn("neighbors")
    train, validation, test = examples.splits

    def flat(part: Part) -> Any:
        assert isinstance(part.inputs, Tensor)
        return part.inputs.flatten(1).numpy()

    def measured(k: int, part: Part) -> dict[str, float]:
        model = neighbors.KNeighborsClassifier(k).fit(flat(train), train.targets.numpy())
        shares = torch.zeros(len(part), examples.form.size_out)
        shares[:, torch.from_numpy(model.classes_)] = torch.from_numpy(model.predict_proba(flat(part))).float()
        return _judged(shares, part, examples.form, probabilities=False)

    tried = {k: measured(k, validation) for k in _NEIGHBOURS if k <= len(train)}
    k = max(tried, key=lambda k: tried[k]["accuracy"])
    configuration = {"method": "k nearest neighbours", "k": k, "chosen_from": list(tried)}
    return Outcome(tried[k], measured(k, test), configuration)


def tfidf(task: Task, examples: Examples) -> Outcome:
    """Logistic regression on TF-IDF: of words and their pairs; of short texts, of runs of one to four characters.

    Raises
    ------
    ModuleNotFoundError
        when scikit-learn is not installed.
    """
    text, linear = _sklearn("feature_extraction.text"), _sklearn("linear_model")
    train, validation, test = examples.splits
    words = any(" " in raw.strip() for raw in train.raw[:20]) and examples.form.length > 64
    terms = (
        text.TfidfVectorizer(ngram_range=(1, 2))
        if words
        else text.TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4))
    )
    vectors = terms.fit_transform(train.raw)

    def measured(model: Any, part: Part) -> dict[str, float]:
        outputs = torch.full((len(part), examples.form.size_out), -20.0)  # a class that it has never seen
        outputs[:, torch.from_numpy(model.classes_)] = torch.from_numpy(
            model.predict_log_proba(terms.transform(part.raw))
        ).float()
        return _judged(outputs, part, examples.form)

    models = {
        strength: linear.LogisticRegression(C=strength, max_iter=1000).fit(vectors, train.targets.numpy())
        for strength in _STRENGTHS
    }
    tried = {strength: measured(model, validation) for strength, model in models.items()}
    strength = max(tried, key=lambda c: tried[c]["accuracy"])
    best = models[strength]
    configuration = {
        "method": "TF-IDF and logistic regression",
        "terms": "words and pairs of neighbours" if words else "runs of 1 to 4 characters within a word",
        "C": strength,
        "chosen_from": list(tried),
    }
    return Outcome(tried[strength], measured(best, test), configuration, best.coef_.size + best.intercept_.size)


def character_ngrams(task: Task, examples: Examples) -> Outcome:
    """Count n-grams of characters, with Witten-Bell smoothing, of the order that serves best on the validation part."""
    train, validation, test = (part.raw[0] for part in examples.splits)
    models = {order: NGram(order).fit(train) for order in _ORDERS}
    bits = {order: model.bits_per_character(validation) for order, model in models.items()}
    order = min(bits, key=lambda n: bits[n])
    configuration = {"method": "n-gram, Witten-Bell smoothing", "order": order, "chosen_from": list(bits)}
    found = {"bits_per_character": models[order].bits_per_character(test)}
    return Outcome({"bits_per_character": bits[order]}, found, configuration)


def seasonal_naive(task: Task, examples: Examples) -> Outcome:
    """Tomorrow as today: of ``inputs`` (n, window, 1), the last ``size_out`` values are the forecast.

    Raises
    ------
    ValueError
        when the window is shorter than the forecast.
    """
    ahead = examples.form.size_out
    if examples.form.length < ahead:
        raise ValueError(f"form.length is {examples.form.length}; allowed is at least the forecast's length, {ahead}")

    def measured(part: Part) -> dict[str, float]:
        assert isinstance(part.inputs, Tensor)
        return judged(part.inputs[:, -ahead:, 0], part, examples.form)

    return Outcome(
        measured(examples.splits.validation),
        measured(examples.splits.test),
        {"method": "seasonal naive", "season": ahead},
        0,
    )


def best_constant(task: Task, examples: Examples) -> Outcome:
    """Answer always the same: the mean of all numbers, or every class as often as it was seen."""
    form, train = examples.form, examples.splits.train
    if form.answer == "value":
        constant = train.targets.mean(0)  # (size_out,)
    else:
        seen = train.targets[train.targets != IGNORED]
        counts = torch.bincount(seen, minlength=form.size_out) + 1.0
        constant = (counts / counts.sum()).log()  # (size_out,)

    def measured(part: Part) -> dict[str, float]:
        return judged(constant.expand(*part.targets.shape[: 1 if form.answer == "value" else None], -1), part, form)

    return Outcome(
        measured(examples.splits.validation), measured(examples.splits.test), {"method": "a constant"}, len(constant)
    )
