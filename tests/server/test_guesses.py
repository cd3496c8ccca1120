"""Wrong guesses of all doors count together, and cost time."""

from __future__ import annotations

import itertools

from assistant.server.guesses import Guesses, digest


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_five_and_then_a_pause() -> None:
    clock = Clock()
    guesses = Guesses(clock=clock)
    for n in range(5):
        assert guesses.wait("10.0.0.1") == 0
        assert guesses.wrong("10.0.0.1", digest(str(n)))
        clock.now += 1
    assert guesses.wait("10.0.0.1") == 55
    assert guesses.wait("10.0.0.2") == 0
    clock.now += 55
    assert guesses.wait("10.0.0.1") == 0
    guesses.wrong("10.0.0.1", digest("6"))
    assert guesses.wait("10.0.0.1") > 0


def test_the_same_again_is_no_new_guess() -> None:
    guesses = Guesses(clock=Clock())
    assert guesses.wrong("10.0.0.1", digest("old token"))
    for _ in range(50):
        assert not guesses.wrong("10.0.0.1", digest("old token"))
    assert guesses.wait("10.0.0.1") == 0


def test_many_addresses_share_a_limit() -> None:
    guesses = Guesses(clock=Clock(), together=20)
    for n in range(20):
        guesses.wrong(f"10.0.{n}.1", digest(str(n)))
    assert guesses.wait("192.0.2.1") == 60


def test_one_customer_has_many_addresses_of_ipv6() -> None:
    guesses = Guesses(clock=Clock())
    for n in range(5):
        guesses.wrong(f"2001:db8::{n:x}", digest(str(n)))
    assert guesses.wait("2001:db8::ffff") > 0
    assert guesses.wait("2001:db8:1::1") == 0
    for n in range(5):
        guesses.wrong("::ffff:10.0.0.9", digest(str(n)))
    assert guesses.wait("10.0.0.9") > 0


def test_memory_is_bounded() -> None:
    guesses = Guesses(clock=Clock(), together=10**9)
    for n, m in itertools.product(range(110), range(100)):
        guesses.wrong(f"10.{n}.{m}.1", digest(f"{n}.{m}"))
    assert len(guesses._of) == guesses._MOST_ADDRESSES
