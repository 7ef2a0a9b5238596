"""A clock that a test moves, for what a page does after seconds or after hours."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page

# A lock that is held is not under way: a page holds one as long as its stream.
COUNT_WHAT_IS_UNDER_WAY = """
window.underWay = 0;

function counted(ask) {
    return async function (...how) {
        underWay++;
        try {
            return await ask.apply(this, how);
        } finally {
            underWay--;
        }
    };
}

window.fetch = counted(window.fetch);
Response.prototype.json = counted(Response.prototype.json);

const { request } = LockManager.prototype;
LockManager.prototype.request = counted(function (name, options, work) {
    return request.call(this, name, options, async (lock) => {
        underWay--;
        try {
            return await work(lock);
        } finally {
            underWay++;
        }
    });
});
"""


def stop_clock(tab: Page) -> None:
    """From the next page on, timers and dates move only by ``move_clock``."""
    tab.context.add_init_script(f"(() => {{{COUNT_WHAT_IS_UNDER_WAY}}})();")
    now = datetime.now(UTC)
    tab.clock.install(time=now)
    tab.clock.pause_at(now + timedelta(seconds=1))


def move_clock(tab: Page, time: int | str) -> None:
    """Let time pass for a page that waits for nothing but its timers, and for what they set off.

    Were a request under way meanwhile, its time-out would come or not, as the machine is slow or
    quick. How a stream goes on is the test's to await.

    Args:
        time: milliseconds, or ``mm:ss`` or ``hh:mm:ss``.
    """
    _wait_until_nothing_is_under_way(tab)
    tab.clock.run_for(time)
    _wait_until_nothing_is_under_way(tab)


def _wait_until_nothing_is_under_way(tab: Page) -> None:
    tab.wait_for_function("() => underWay === 0")
