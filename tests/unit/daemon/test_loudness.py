import logging

import pytest

from canary.alert.incident import Reason
from canary.daemon.daemon import loudness
from tests.unit.web.fleet import incident


@pytest.mark.parametrize(
    ("reason", "level"),
    [
        (Reason.OPENED, logging.WARNING),
        (Reason.WORSENED, logging.WARNING),
        (Reason.RESOLVED, logging.WARNING),
        (Reason.CONFIRMED, logging.INFO),
        (Reason.PARTLY_RECOVERED, logging.INFO),
        (Reason.REPEATED, logging.DEBUG),
    ],
)
def test_the_log_warns_of_what_people_are_told_and_does_not_repeat_itself(reason: Reason, level: int) -> None:
    assert loudness(reason, incident()) == level
