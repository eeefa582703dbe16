"""How much of a number may be shown."""

from idp.foundation import masks


def test_a_number_shows_its_last_three_and_a_short_one_nothing():
    assert masks.tail("017631564") == "•••564"
    assert masks.tail("060063") == "•••063"
    assert masks.tail("12345") == "•••"
    assert masks.tail(None) == "•••"
