"""The store that the bridge asks for its customers: a fake at the edge of the machine.

It answers, refuses or hangs as a test says, and keeps what it was asked, and when.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import LookUpError, LookUpProblem, Profile, StoreAccess
from tests.services.scene import seconds

JANE = Subject(SubjectKind.CUSTOMER, "17")
EMAIL = "jane@shop.example"
BOUGHT = Profile(
    known=True,
    name="Jane Doe",
    email=EMAIL,
    orders_count=3,
    total_spent="184.50",
    currency="EUR",
)


class FakeStore:
    """Stands for WooCommerce; a :class:`bridge.ports.CustomerReader`.

    ``answers`` are to those with an answer of their own, ``usual`` to all others; ``asked`` is who
    was asked for, with the time in seconds; ``most_at_once`` counts, for each site
    and for each customer of it, how many look-ups were ever under way together.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[float, Subject]] = []
        self.answers: dict[Subject, Profile] = {}
        self.usual = BOUGHT
        self.failing: dict[Subject | None, Exception] = {}
        self.keys_shown: list[str] = []
        self.most_at_once: Counter[object] = Counter()
        self.gate: threading.Event | None = None
        """Look-ups wait for it, if there is one."""
        self.answered: Callable[[], object] | None = None
        """What happens while an answer is on its way."""
        self._under_way: Counter[object] = Counter()
        self._lock = threading.Lock()

    def look_up(self, store: StoreAccess, subject: Subject, now: datetime) -> Profile:
        """See :meth:`bridge.ports.CustomerReader.look_up`."""
        both = (store.rest_url, (store.rest_url, subject))
        with self._lock:
            self.asked.append((seconds(now) or 0.0, subject))
            self.keys_shown.append(store.consumer_key)
            self._under_way.update(both)
            for each in both:
                self.most_at_once[each] = max(self.most_at_once[each], self._under_way[each])
        try:
            if self.gate is not None and not self.gate.wait(30):
                raise AssertionError("nobody let the store answer")
            error = self.failing.get(subject) or self.failing.get(None)
            if error is not None:
                raise error
            answer = self.answers.get(subject, self.usual)
            if self.answered is not None:
                self.answered()
            return answer
        finally:
            with self._lock:
                self._under_way.subtract(both)

    def fail(
        self,
        problem: LookUpProblem = LookUpProblem.UNREACHABLE,
        subject: Subject | None = None,
        retry_after: float | None = None,
        *,
        of_customer: bool = False,
    ) -> None:
        """Fail from now on for a customer, or for all."""
        wait = None if retry_after is None else timedelta(seconds=retry_after)
        self.failing[subject] = LookUpError(problem, "as told", wait, of_customer=of_customer)

    def recover(self) -> None:
        """Fail no more."""
        self.failing.clear()

    def subjects(self) -> list[Subject]:
        """Who was asked for since this was read last."""
        subjects = [subject for _, subject in self.asked]
        self.asked.clear()
        return subjects
