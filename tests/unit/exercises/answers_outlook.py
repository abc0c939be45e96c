"""Answers to the exercises of part 5: right ones, and wrong ones with a piece of what is said of them."""

from dlcompare.models import GPT3


def calibration_error(p, labels):
    confidence, guess = p.max(-1)
    right = (guess == labels).double()
    bins = (confidence * 10).ceil()
    error = 0.0
    for one in bins.unique():
        here = bins == one
        error += here.double().mean() * (confidence[here].mean() - right[here].mean()).abs()
    return error


def unweighted(p, labels):
    confidence, guess = p.max(-1)
    right = (guess == labels).double()
    bins = (confidence * 10).ceil()
    gaps = [(confidence[bins == one].mean() - right[bins == one].mean()).abs() for one in bins.unique()]
    return sum(gaps) / len(gaps)


def of_the_right_class(p, labels):
    confidence = p.gather(-1, labels[:, None])[:, 0]
    right = (p.argmax(-1) == labels).double()
    bins = (confidence * 10).ceil()
    return sum(
        (bins == one).double().mean() * (confidence[bins == one].mean() - right[bins == one].mean()).abs()
        for one in bins.unique()
    )


CACHE = 32 * 96 * 2 * 12_288 * 2048 * 2
assert GPT3["175B"].n_layer == 96

ANSWERS: dict[str, tuple[list, list]] = {
    "5.1-a": (
        [lambda alpha, share: share ** (-1 / alpha), lambda alpha, share: (1 / share) ** (1 / alpha)],
        [
            (lambda alpha, share: share ** (1 / alpha), "x would have to shrink"),
            (lambda alpha, share: share**-alpha, "the other way round"),
            (lambda alpha, share: 1 / share, "Too small"),
        ],
    ),
    "5.1-b": (
        [calibration_error],
        [
            (unweighted, "by how many predictions they hold"),
            (lambda p, y: (p.max(-1).values.mean() - (p.argmax(-1) == y).double().mean()).abs(), "make up for"),
            (of_the_right_class, "probability of the right class"),
            (lambda p, y: 0.0, "Too small"),
        ],
    ),
    "5.2-a": (
        [CACHE],
        [
            (CACHE // 32, "one conversation"),
            (CACHE // 2, "Half of it"),
            (CACHE // 96, "in one layer"),
            (CACHE * 3, "Too large."),
        ],
    ),
    "5.2-b": (
        [
            {"start": ["[]", "[<items>]"], "items": ["<item>", "<item>,<items>"], "item": ["1", "<start>"]},
            {"start": ["[<inside>]"], "inside": ["", "<some>"], "some": ["<x>", "<some>,<x>"], "x": ["1", "<start>"]},
        ],
        [
            ({"start": ["[<items>]"], "items": ["<item>", "<item>,<items>"], "item": ["1", "<start>"]}, "refuses []"),
            ({"start": ["[]", "[<items>]"], "items": ["1", "1,<items>"]}, "refuses [[]]"),
            (
                {"start": ["[<items>]"], "items": ["", "<item>", "<item>,<items>"], "item": ["1", "<start>"]},
                "accepts [1,]",
            ),
            ({"start": ["<a>"]}, "names <a>"),
            ("[]", "of the type str"),
        ],
    ),
}
