"""The exercises' checkers: what is wrong with an answer, without the answer.

``check("3.1.2-b", answer)`` holds an answer against what the tested code gives.
"""

from dlcompare.exercises import background, classic, code, concepts, conclusion, gpt, outlook
from dlcompare.exercises.checking import ExerciseError, Verdict, check, exercises

__all__ = ["ExerciseError", "Verdict", "check", "exercises"]

#: Importing a part registers its checkers.
_PARTS = (background, concepts, classic, gpt, code, outlook, conclusion)
