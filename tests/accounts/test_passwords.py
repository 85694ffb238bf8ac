"""Passwords: which are taken, and that a hash gives nothing away."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("argon2", reason="needs the extra app")

from fewshot.accounts import passwords
from fewshot.accounts.passwords import check_password, hash_of, is_right, one_time_password
from fewshot.errors import UsageError

GOOD = "four green plums fell"


@pytest.mark.parametrize("password", ["", "short", "elevenchars", "x" * 300, " " * 40])
def test_too_short_or_too_long(password: str) -> None:
    with pytest.raises(UsageError, match="was not saved"):
        check_password(password, "Anna")


def test_bytes_that_are_no_text_are_no_password() -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        check_password("abcdefghijkl\udce9", "Anna")
    assert not is_right(hash_of(GOOD), f"{GOOD}\udce9") and not is_right(None, "\udce9")


@pytest.mark.parametrize("password", ["aaaaaaaaaaaa", "abababababab", "111122223333"])
def test_a_few_characters_again_and_again(password: str) -> None:
    with pytest.raises(UsageError, match="repeats"):
        check_password(password, "Bert")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Maria Montessori", "Maria Montessori"), ("Maria Montessori", "maria montessori"),
        ("Maria Montessori", "MARIAMONTESSORI"), ("Maria Montessori", "montessorimaria"),
        ("Maria Montessori", "Montessori-1"), ("Maria Montessori", "irossetnommm1"),
        ("m.montessori@school.example", "m.montessori@school.example"), ("Ürsula Ümit", "ürsula ümit."),
    ],
)  # fmt: skip
def test_the_name_is_no_password(name: str, password: str) -> None:
    with pytest.raises(UsageError, match="is the name"):
        check_password(password, name)


@pytest.mark.parametrize("password", [GOOD, "ひみつのあいことばをここ", "пароль из слов 12", "Anna likes green plums"])
def test_other_passwords_are_taken_in_any_script(password: str) -> None:
    assert is_right(hash_of(check_password(password, "Anna")), password)


def test_two_ways_to_type_a_letter_are_one() -> None:
    assert is_right(hash_of("cafe\u0301 noir 2026"), "caf\u00e9 noir 2026")


def test_a_hash_is_salted_argon2id_with_64_mib_and_does_not_hold_the_password() -> None:
    one, two = hash_of(GOOD), hash_of(GOOD)
    assert one != two and one.startswith("$argon2id$") and "m=65536" in one and GOOD not in one


@pytest.mark.parametrize("hashed", [None, "", "$argon2id$broken", "x"])
def test_without_a_hash_nothing_is_right(hashed: str | None) -> None:
    assert not is_right(hashed, GOOD) and not is_right(hashed, "")


def test_a_name_without_account_costs_as_much_as_one_with(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    hasher = passwords._hasher()

    class Counting:
        def verify(self, hashed: str, password: bytes) -> bool:
            verified.append(hashed.rsplit("$", 2)[0])
            return hasher.verify(hashed, password)

        hash = staticmethod(hasher.hash)

    passwords.warm_up()
    monkeypatch.setattr(passwords, "_hasher", Counting)
    is_right(hash_of(GOOD), "wrong")
    is_right(None, "wrong")
    assert len(verified) == 2 and verified[0] == verified[1], "the same work, with the same costs"


def test_only_a_few_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = [0], [0], threading.Lock()
    gate = threading.Event()

    class Slow:
        def verify(self, hashed: str, password: bytes) -> bool:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            gate.wait(0.05)
            with lock:
                running[0] -= 1
            return True

    monkeypatch.setattr(passwords, "_hasher", Slow)
    threads = [threading.Thread(target=is_right, args=("x", "y")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most[0] <= passwords.AT_ONCE


def test_a_one_time_password_is_long_and_never_the_same() -> None:
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        assert check_password(password, "Anna") == password
