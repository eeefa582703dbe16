"""`make bench`: the hot paths of the real server, CPU µs a request, median of several rounds."""

import argparse
import json
import platform
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

from bench.cpu import resident_mb
from bench.enrolling import account_typed, page_shown
from bench.flow import Browser, code_in
from bench.load import Figures, Request, measure
from bench.matching import rule_us
from bench.passkeys import main as tell_passkeys
from bench.provider import Provider, bare, running

PERSON = ("rosa.delgado", "Copper-bellows-49")
RESULTS = Path(__file__).parent / "results"
ENROLLING = {"enrollment: first page", "enrollment: account typed, with argon2id"}
ONLY_OURS = {"authorize + code exchange", *ENROLLING}
"""What the product alone can do."""
Rounds = dict[str, list[Figures]]


def cases(provider: Provider) -> dict[str, Callable[[], Request]]:
    """Each hot path as a maker of requests; a person has signed in before. What is in `ONLY_OURS` has no bare one."""
    browser = Browser(provider.port)
    code = browser.sign_in(provider.portal, *PERSON)
    status, _, body = _exchange(provider, code)
    if status != 200:
        raise SystemExit(f"the bench could not exchange its code: {status} {body}")
    access_token = json.loads(body)["access_token"]
    client_credentials = urlencode({"grant_type": "client_credentials"}).encode()
    introspection = urlencode({"token": access_token}).encode()
    authorize = provider.portal.authorize_path(prompt="none")

    def exchange() -> Request:
        _, location, _ = browser.ask("GET", authorize)
        return Request("POST", "/oauth/token", provider.portal.basic, provider.portal.exchange_body(code_in(location)))

    def fixed(request: Request) -> Callable[[], Request]:
        return lambda: request

    return {
        "health (the floor)": fixed(Request("GET", "/healthz", {})),
        "discovery": fixed(Request("GET", "/.well-known/openid-configuration", {})),
        "jwks": fixed(Request("GET", "/oauth/jwks", {})),
        "client credentials, JWT ES256": fixed(Request("POST", "/oauth/token", provider.app.basic, client_credentials)),
        "UserInfo": fixed(Request("GET", "/oauth/userinfo", {"Authorization": f"Bearer {access_token}"})),
        "introspection": fixed(Request("POST", "/oauth/introspect", provider.portal.basic, introspection)),
        "authorize with a live session": fixed(Request("GET", authorize, browser.headers, expect=303)),
        "authorize + code exchange": exchange,
        "enrollment: first page": page_shown(provider.port),
        "enrollment: account typed, with argon2id": account_typed(provider.port),
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each case; the median is told")
    parser.add_argument("--port", type=int, default=8900)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with running(data, port=asked.port) as provider, bare(data, port=asked.port + 1) as bare_pid:
            made = cases(provider)
            rounds: Rounds = {name: [] for name in made}
            beside: Rounds = {name: [] for name in made if name not in ONLY_OURS}
            for _ in range(asked.rounds):
                for name, make in made.items():
                    rounds[name].append(measure(provider.port, provider.pid, make, seconds=asked.seconds))
                    if name in beside:
                        beside[name].append(measure(asked.port + 1, bare_pid, make, seconds=asked.seconds))
            memory = resident_mb(provider.pid)
    _tell(rounds, beside, memory)
    print(f"matching rule, a claim of six fields: {rule_us():.0f} µs")
    tell_passkeys()


def _exchange(provider: Provider, code: str) -> tuple[int, str, str]:
    import http.client

    connection = http.client.HTTPConnection("localhost", provider.port, timeout=30)
    connection.request("POST", "/oauth/token", provider.portal.exchange_body(code), provider.portal.basic)
    answer = connection.getresponse()
    return answer.status, "", answer.read().decode()


def _tell(rounds: Rounds, beside: Rounds, memory: float) -> None:
    head = (
        f"{'case':42} {'CPU µs':>8} {'spread':>13} {'req/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'bare µs':>8} {'ratio':>6}"
    )
    print(head)
    for name, figures in rounds.items():
        cpu = sorted(each.cpu_us for each in figures)
        middle = statistics.median(cpu)
        limit = _median(beside[name], "cpu_us") if name in beside else None
        compared = f" {limit:8.0f} {limit / middle:6.2f}" if limit is not None else ""
        print(
            f"{name:42} {middle:8.0f} {cpu[0]:6.0f}–{cpu[-1]:<6.0f} {_median(figures, 'per_second'):8.0f}"
            f" {_median(figures, 'p50_ms'):7.1f} {_median(figures, 'p99_ms'):7.1f}{compared}"
        )
    print(f"memory of the server's processes: {memory:.0f} MB")
    RESULTS.mkdir(exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = {
        "versions": {name: version(name) for name in ("flask", "sqlalchemy", "granian", "cryptography")},
        "python": platform.python_version(),
        "memory_mb": memory,
        "rounds": {name: [asdict(each) for each in figures] for name, figures in rounds.items()},
        "bare": {name: [asdict(each) for each in figures] for name, figures in beside.items()},
    }
    (RESULTS / f"{stamp}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


def _median(figures: list[Figures], member: str) -> float:
    return statistics.median(getattr(each, member) for each in figures)


if __name__ == "__main__":
    main()
