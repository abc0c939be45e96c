"""Answers to the exercises of 3.1: right ones, and wrong ones with a piece of what is said of them."""

ANSWERS = {
    "3.1.2-a": (
        [64 * (784 + 128 + 10)],
        [(784 + 128 + 10, "a batch has 64"), (101_770, "These are the parameters"), (64 * 784, "Too small.")],
    ),
    "3.1.2-b": (
        [lambda upstream, y: upstream * y * (1 - y)],
        [
            (lambda upstream, y: upstream * (1 - y**2), "numbers are not"),
            (lambda upstream, y: y * (1 - y), "numbers are not"),
            (lambda upstream, y: -upstream * y * (1 - y), "sign"),
        ],
    ),
}
