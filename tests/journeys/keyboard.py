"""A person without a pointer: Tab until something has the focus, then type, or press Space or Enter (X6, WCAG 2.1.1, 2.4.7)."""

from typing import Final

from playwright.sync_api import Locator, Page

MOST: Final = 150
_HAS_FOCUS: Final = "it => it === document.activeElement"
_IS_SEEN: Final = """it => {
    const box = it.getBoundingClientRect();
    return it.matches(':focus-visible') && box.bottom > 0 && box.top < innerHeight;
}"""


def tab_to(page: Page, target: Locator) -> None:
    """As far as it takes: nothing is focused by script, and whoever looks sees where they are."""
    for _ in range(MOST):
        if target.evaluate(_HAS_FOCUS):
            assert target.evaluate(_IS_SEEN), f"nobody sees that the focus is here: {target}"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {target} at {page.url}")


def type_into(page: Page, target: Locator, text: str) -> None:
    tab_to(page, target)
    page.keyboard.type(text)


def press_at(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)
