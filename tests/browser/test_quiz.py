"""Every quiz of the book, answered in its page: by mouse, by keys, without scripts, on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dlcompare.quiz import Option, Question, Quiz, quizzes
from tools.chapters import ROOT, notebooks

from .conftest import NewPage
from .looks import NARROW

every = pytest.mark.parametrize("chapter", quizzes())


def plain(words: str) -> str:
    """A text of a quiz without its marks."""
    return " ".join(re.sub(r"[`*]", "", words).split())


def said(option: Option) -> str:
    return f"{'Yes.' if option.right else 'No.'} {plain(option.why)}"


def opened(page: Page, site: str, chapter: str) -> Locator:
    """Open the page that has the chapter's quiz, and return its form."""
    (path,) = (path for path in notebooks() if f'Quiz.of(\\"{chapter}\\")' in path.read_text(encoding="utf-8"))
    page.goto(f"{site}{path.relative_to(ROOT).with_suffix('.html')}")
    form = page.locator("form.dlc-quiz")
    expect(form).to_have_count(1)
    return form


def shown(form: Locator) -> list[str]:
    """The words on answers that stand in the page now."""
    return [plain(text) for text in form.locator(".dlc-quiz-option p").filter(visible=True).all_inner_texts()]


def score(form: Locator) -> str:
    """What a screen reader is told of the score: the style sheet counts, so it is no text of the document's."""
    session = form.page.context.new_cdp_session(form.page)
    found = session.send("Runtime.evaluate", {"expression": "document.querySelector('.dlc-quiz-score')"})
    nodes = session.send("Accessibility.queryAXTree", {"objectId": found["result"]["objectId"]})["nodes"]
    texts = [node["name"]["value"] for node in nodes if node["role"]["value"] == "StaticText"]
    return "".join(texts[1:])


def questions(form: Locator, chapter: str) -> list[tuple[Locator, Question]]:
    fields = form.locator("fieldset")
    expect(fields).to_have_count(5)
    return [(fields.nth(place), question) for place, question in enumerate(Quiz.of(chapter).questions)]


@every
def test_each_answer_is_explained_and_right_ones_are_counted(new_page: NewPage, site: str, chapter: str) -> None:
    page, _ = new_page()
    form = opened(page, site, chapter)
    assert shown(form) == []
    for field, question in questions(form, chapter):
        assert plain(field.locator("legend").inner_text()).endswith(plain(question.ask))
        for place, option in enumerate(question.options):
            field.locator("label").nth(place).click()
            assert shown(form) == [said(option)]
        form.get_by_role("button").click()
        assert shown(form) == []
    for count, (field, question) in enumerate(questions(form, chapter), 1):
        assert score(form) == f"{count - 1} / {count - 1}"
        field.locator("label").nth(question.right).click()
    assert score(form) == "5 / 5"
    first, question = questions(form, chapter)[0]
    first.locator("label").nth((question.right + 1) % len(question.options)).click()
    assert score(form) == "4 / 5"
    assert len(shown(form)) == 5


def test_keys_answer_it(new_page: NewPage, site: str) -> None:
    chapter = quizzes()[0]
    page, _ = new_page()
    form = opened(page, site, chapter)
    for field, question in questions(form, chapter):
        field.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        for option in [*question.options[1:], question.options[0]]:
            page.keyboard.press("ArrowDown")
            assert said(option) in shown(form)
        page.keyboard.press("Enter")  # sends nothing, leaves nothing
    assert len(shown(form)) == 5
    page.keyboard.press("Tab")
    expect(form.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    assert shown(form) == []


def test_it_answers_without_scripts_and_on_a_phone(browser: Browser, site: str) -> None:
    chapter = quizzes()[-1]
    context = browser.new_context(java_script_enabled=False, viewport=NARROW, has_touch=True)  # type: ignore[arg-type]
    page = context.new_page()
    form = opened(page, site, chapter)
    for field, question in questions(form, chapter):
        for place, option in enumerate(question.options):
            label = field.locator("label").nth(place)
            label.tap()
            expect(field.locator("p").filter(visible=True)).to_have_text(said(option))
            box = label.bounding_box()
            assert box
            assert box["height"] >= 32
            assert box["x"] + box["width"] <= NARROW["width"]
    assert len(shown(form)) == 5
    context.close()
