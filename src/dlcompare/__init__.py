"""Deep Learning and GPT, side by side: the tested PyTorch package that the book's chapters import.

One module per idea: :mod:`dlcompare.models`, :mod:`dlcompare.data`, :mod:`dlcompare.tokenization`,
:mod:`dlcompare.training`, :mod:`dlcompare.generation`, :mod:`dlcompare.checkpoints`,
:mod:`dlcompare.widgets`.
"""

__version__ = "0.1.0"
