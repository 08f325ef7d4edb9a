import stat
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.errors import EventError, LanewayError, QueryError, SettingError
from laneway.web import keyring as keyring_module
from laneway.web.keyring import Grant, Keyring, _is_entry, digest


@pytest.fixture
def keyring(home: Path) -> Keyring:
    return Keyring(str(home))


def names(keyring: Keyring) -> list[str]:
    return [grant.name for grant in keyring.grants()]


def grant_of(keyring: Keyring, token: str) -> Grant | None:
    found = {grant.digest: grant for grant in keyring.grants()}
    return found.get(digest(token.encode()))


def test_a_token_is_kept_as_a_hash_only_and_for_its_owner_only(
    keyring: Keyring, home: Path
) -> None:
    token = keyring.add("ci", ["ingest"])
    assert len(token) == len("laneway_") + 43
    assert token not in "".join(p.read_text() for p in home.iterdir())
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_no_two_tokens_agree(keyring: Keyring) -> None:
    tokens = {keyring.add(f"n{i}", ["read"]) for i in range(20)}
    assert len(tokens) == 20


def test_a_token_has_its_scopes_its_names_and_its_end(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_module, "time", lambda: 1000.0)
    token = keyring.add("ci", ["ingest"], agents=["b", "a", "b"], pods=["p"], life_s=60)
    grant = grant_of(keyring, token)
    assert grant
    assert (grant.name, grant.scopes, grant.until_s) == ("ci", {"ingest"}, 1060)
    assert (grant.agents, grant.pods) == ({"a", "b"}, {"p"})


WRONG: list[tuple[str, dict[str, object]]] = [
    ("x", {"scopes": []}),
    ("x", {"scopes": ["root"]}),
    ("", {"scopes": ["read"]}),
    ("Big", {"scopes": ["read"]}),
    ("../x", {"scopes": ["read"]}),
    ("a\nb", {"scopes": ["read"]}),
    ("x" * 65, {"scopes": ["read"]}),
    ("ingest", {"scopes": ["read"]}),
    ("access", {"scopes": ["read"]}),
    ("x", {"scopes": ["read", "admin"], "agents": ["a"]}),
    ("x", {"scopes": ["admin"], "pods": ["p"]}),
    ("x", {"scopes": ["ingest"], "agents": [""]}),
    ("x", {"scopes": ["ingest"], "pods": ["p" * 257]}),
]


@pytest.mark.parametrize(("name", "given_"), WRONG)
def test_what_makes_no_sense_makes_no_token(
    keyring: Keyring, name: str, given_: dict[str, object]
) -> None:
    with pytest.raises(QueryError):
        keyring.add(name, **given_)  # type: ignore[arg-type]
    assert names(keyring) == []


def test_a_name_is_given_once(keyring: Keyring) -> None:
    keyring.add("ci", ["ingest"])
    with pytest.raises(QueryError, match="there is a token") as caught:
        keyring.add("ci", ["admin"])
    assert "rotate ci" in caught.value.hint
    assert [grant.scopes for grant in keyring.grants()] == [{"ingest"}]


def test_after_a_rotation_the_old_token_is_taken_until_its_grace_is_over(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_module, "time", lambda: 1000.0)
    old = keyring.add("ci", ["ingest"], agents=["a"])
    new = keyring.rotate("ci", 60)
    first, second = grant_of(keyring, old), grant_of(keyring, new)
    assert first
    assert second
    assert (first.until_s, second.until_s) == (1060, float("inf"))
    assert first.agents == second.agents == {"a"}
    monkeypatch.setattr(keyring_module, "time", lambda: 1061.0)
    keyring.rotate("ci", 60)
    assert grant_of(keyring, old) is None


def test_a_rotation_gives_no_token_a_longer_life(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_module, "time", lambda: 1000.0)
    old = keyring.add("ci", ["ingest"], life_s=30)
    new = keyring.rotate("ci", 3600)
    assert [getattr(grant_of(keyring, token), "until_s", 0) for token in (old, new)] == [1030, 1030]


def test_a_rotation_without_grace_ends_the_old_token_at_once(keyring: Keyring) -> None:
    old = keyring.add("ci", ["ingest"])
    keyring.rotate("ci", 0)
    assert grant_of(keyring, old) is None


def test_a_revoked_token_is_gone_with_its_former_ones(keyring: Keyring) -> None:
    keyring.add("other", ["read"])
    keyring.add("ci", ["ingest"])
    keyring.rotate("ci")
    keyring.revoke("ci")
    assert names(keyring) == ["other"]
    for act in (keyring.revoke, keyring.rotate):
        with pytest.raises(QueryError, match="no token"):
            act("ci")


BROKEN = [
    b"", b"{", b"[]", b'"x"', b'{"version":2,"tokens":[]}', b'{"version":1,"tokens":{}}',
    b'{"version":1,"tokens":[5]}', b'{"version":1,"tokens":[{"name":"x"}]}', b"\xff\xfe",
]  # fmt: skip


@pytest.mark.parametrize("data", BROKEN)
def test_a_file_that_is_not_ours_is_told_and_left_alone(
    keyring: Keyring, home: Path, data: bytes
) -> None:
    home.mkdir()
    (home / "tokens.json").write_bytes(data)
    acts: list[Callable[[], object]] = [
        lambda: list(keyring.grants()),
        lambda: keyring.add("x", ["read"]),
    ]
    for act in acts:
        with pytest.raises(SettingError, match=r"tokens\.json"):
            act()
    assert (home / "tokens.json").read_bytes() == data


def test_a_link_in_place_of_the_file_is_not_followed(
    keyring: Keyring, home: Path, tmp_path: Path
) -> None:
    home.mkdir()
    (tmp_path / "else.json").write_text('{"version":1,"tokens":[]}')
    (home / "tokens.json").symlink_to(tmp_path / "else.json")
    with pytest.raises(SettingError):
        keyring.entries()


VALID = {"name": "x", "scopes": ["read"], "agents": [], "pods": [], "expires": None,
         "sha256": "a" * 64, "former": [], "created": 1.0}  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
)


@given(st.sampled_from(sorted(VALID)), ANY)
def test_whatever_a_hand_wrote_into_it_is_read_or_refused(field: str, value: object) -> None:
    entry = {**VALID, field: value}
    if not _is_entry(entry):
        return
    ring = Keyring("/nonexistent")
    ring.entries = lambda: [entry]  # type: ignore[method-assign]
    assert all(grant.digest for grant in ring.grants())


def test_a_bound_token_speaks_for_its_own_only() -> None:
    grant = Grant("x", frozenset({"ingest"}), agents=frozenset({"a"}), pods=frozenset({"p"}))
    grant.check_sender("a", "p")
    for agent, pod in (("b", "p"), ("a", "q"), ("a", None), ("A", "p"), ("a ", "p")):
        with pytest.raises(EventError):
            grant.check_sender(agent, pod)


def test_many_that_change_it_at_once_lose_no_change(home: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def add(number: int) -> None:
        Keyring(str(home)).add(f"n{number}", ["read"])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(32)))
    assert sorted(names(Keyring(str(home)))) == sorted(f"n{i}" for i in range(32))
    assert sorted(p.name for p in home.iterdir()) == ["tokens.json", "tokens.json.lock"]


def test_a_change_that_fails_leaves_the_file_as_it_was(keyring: Keyring, home: Path) -> None:
    keyring.add("ci", ["read"])
    before = (home / "tokens.json").read_bytes()
    with pytest.raises(LanewayError):
        keyring.revoke("nobody")
    assert (home / "tokens.json").read_bytes() == before
    assert orjson.loads(before)["version"] == 1
