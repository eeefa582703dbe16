"""What may stand together in the tables of a portal (MODEL §1–§4, PORTALS X7); each fault says where and why."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from idp.relying_parties.addresses.rules import wrong_page
from idp.relying_parties.faults import Fault, Ground, Path
from idp.relying_parties.manifest import Localized, Manifest, Portal
from idp.relying_parties.registration.rules import REGISTRY
from idp.vocabulary.assurance import GAINS, STRONG, Acr, Factor

LANGUAGES: Final = ("en", "es")
MAX_TEXT: Final = 64 * 1024
LOGO: Final = "logo.svg"
_LEVEL: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*\Z", re.ASCII)
_VERSION: Final = re.compile(r"[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*\Z", re.ASCII)
_PAGE: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z", re.ASCII)
_PHONE: Final = re.compile(r"[0-9+(][0-9 ().+-]{5,24}\Z", re.ASCII)
_EMAIL: Final = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\Z", re.ASCII)
_VERSIONED: Final = re.compile(r"(?:agreement|terms)-[0-9A-Za-z.-]+\.(?:en|es)\.md\Z", re.ASCII)


def faults(manifest: Manifest, *, texts: Mapping[str, str], ground: Ground) -> Iterator[Fault]:
    """All that is wrong with what a portal says; `texts` are the files beside the manifest, by name."""
    if manifest.portal is None:
        yield from _partner(manifest)
    else:
        yield from _portal(manifest.portal, manifest)
    yield from _levels(manifest)
    yield from _sentences(manifest)
    yield from _help(manifest)
    yield from _links(manifest, ground)
    yield from _site_key(manifest)
    yield from _texts(manifest, texts)
    yield from _mfa(manifest)
    policy = manifest.password
    if policy is not None and policy.min_length > policy.max_length:
        yield Fault(("password", "min_length"), "is more than max_length")


def named_texts(manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Every text that the manifest names: where, and the file name less its language."""
    if manifest.agreement is not None:
        yield ("agreement", "version"), f"agreement-{manifest.agreement.version}"
    if manifest.sign_in.terms is not None:
        yield ("sign_in", "terms", "version"), f"terms-{manifest.sign_in.terms.version}"
    for position, link in enumerate(manifest.links):
        if link.page is not None:
            yield ("links", position, "page"), link.page


def _partner(manifest: Manifest) -> Iterator[Fault]:
    """A partner app has no people of its own (MODEL §2)."""
    for name in ("levels", "agreement", "banner", "password", "enrollment"):
        if getattr(manifest, name):
            yield Fault((name,), "is for portals; this manifest has no [portal]")
    if "entitlements" in manifest.registration.scope.split(" ") and manifest.registration.roles_of is None:
        yield Fault(("registration", "roles_of"), "must name the portal whose roles entitlements speaks of")


def _portal(portal: Portal, manifest: Manifest) -> Iterator[Fault]:
    if not REGISTRY.match(portal.registry):
        yield Fault(("portal", "registry"), "is not the name of a registry")
    if not portal.acting_for:
        yield Fault(("portal", "acting_for"), "names no kind of target")
    if len(set(portal.acting_for)) != len(portal.acting_for):
        yield Fault(("portal", "acting_for"), "names a kind twice")
    if not portal.accepts_for_manager.suffices(portal.accepts):
        yield Fault(("portal", "accepts_for_manager"), "is weaker than accepts: a manager needs no less than anybody")
    for position, registry in enumerate(portal.accepts_evidence_from):
        if not REGISTRY.match(registry) or registry == portal.registry:
            yield Fault(("portal", "accepts_evidence_from", position), "must name another registry")
    keys = {level.key: level for level in manifest.levels}
    for position, key in enumerate(portal.default_levels):
        if key not in keys:
            yield Fault(("portal", "default_levels", position), f"{key!r} is not one of this portal's levels")
        elif keys[key].manages:
            yield Fault(("portal", "default_levels", position), "would make everybody an account manager")
    if sum(level.manages for level in manifest.levels) != 1:
        yield Fault(("levels",), "exactly one level has manages = true")


def _site_key(manifest: Manifest) -> Iterator[Fault]:
    """A site key is shown for a user ID typed before; an e-mail address would be confirmed by it (ruling 6)."""
    asked = manifest.sign_in
    if not asked.site_key:
        return
    if manifest.portal is None:
        yield Fault(("sign_in", "site_key"), "is for portals")
    if not asked.username_first:
        yield Fault(("sign_in", "site_key"), "needs username_first = true: it is shown for the user ID typed before")
    if asked.identifier != "user_id":
        yield Fault(("sign_in", "site_key"), 'needs identifier = "user_id": it would tell which e-mail addresses exist')


def _mfa(manifest: Manifest) -> Iterator[Fault]:
    """Whoever must hold a factor can set one up here; what is demanded can be reached (MODEL §3, §8)."""
    mfa = manifest.mfa
    for position, kind in enumerate(mfa.kinds):
        if kind in {Factor.RECOVERY, Factor.DEVICE}:
            yield Fault(("mfa", "kinds", position), f"{kind} stands in for a factor and is none itself")
    if len(set(mfa.kinds)) != len(mfa.kinds):
        yield Fault(("mfa", "kinds"), "names a kind twice")
    demands = mfa.policy != "optional" or (manifest.portal is not None and manifest.portal.min_acr is not Acr.AAL1)
    if demands and not STRONG & set(mfa.kinds):
        yield Fault(("mfa", "kinds"), "must name passkey, push or totp: codes by e-mail or SMS satisfy no manager")
    if manifest.portal is not None:
        least = manifest.portal.min_acr
        if least is not Acr.AAL1 and not any(least in GAINS[kind].acr for kind in mfa.kinds):
            yield Fault(("portal", "min_acr"), f"none of mfa.kinds gives {least}")


def _levels(manifest: Manifest) -> Iterator[Fault]:
    seen = set()
    for position, level in enumerate(manifest.levels):
        if not _LEVEL.match(level.key) or len(level.key) > 64:
            yield Fault(("levels", position, "key"), "is lower-case words with dots, such as claims.submit")
        if level.key in seen:
            yield Fault(("levels", position, "key"), f"{level.key!r} is listed twice")
        seen.add(level.key)


def _sentences(manifest: Manifest) -> Iterator[Fault]:
    for name in ("name", "short_name"):
        if not _speakable(getattr(manifest, name), 80):
            yield Fault((name,), "must be one line of at most 80 characters")
    for path, localized in _localized(manifest):
        for language in LANGUAGES:
            if not _speakable(getattr(localized, language), 4000, lines=path[0] == "banner"):
                yield Fault((*path, language), "must not be empty, and is one line (a banner may have several)")


def _localized(manifest: Manifest) -> Iterator[tuple[Path, Localized]]:
    if manifest.brand.tagline is not None:
        yield ("brand", "tagline"), manifest.brand.tagline
    if manifest.help.hours is not None:
        yield ("help", "hours"), manifest.help.hours
    if manifest.banner is not None:
        yield ("banner", "text"), manifest.banner.text
    if manifest.agreement is not None:
        yield ("agreement", "title"), manifest.agreement.title
    if manifest.sign_in.terms is not None:
        yield ("sign_in", "terms", "title"), manifest.sign_in.terms.title
    for name in ("label", "button"):
        if (said := getattr(manifest.sign_in, name)) is not None:
            yield ("sign_in", name), said
    for position, link in enumerate(manifest.links):
        yield ("links", position, "label"), link.label
    yield from _of_ceremonies(manifest)
    for position, level in enumerate(manifest.levels):
        yield ("levels", position, "label"), level.label
        if level.help is not None:
            yield ("levels", position, "help"), level.help


def _of_ceremonies(manifest: Manifest) -> Iterator[tuple[Path, Localized]]:
    for name, ceremony in manifest.enrollment.items():
        yield ("enrollment", name, "title"), ceremony.title
        if ceremony.intro is not None:
            yield ("enrollment", name, "intro"), ceremony.intro


def _speakable(text: str, longest: int, *, lines: bool = False) -> bool:
    plain = text.replace("\n", " ") if lines else text
    return bool(plain.strip()) and len(plain) <= longest and plain.isprintable()


def _help(manifest: Manifest) -> Iterator[Fault]:
    for name in ("phone", "security_phone"):
        given = getattr(manifest.help, name)
        if given is not None and not _PHONE.match(given):
            yield Fault(("help", name), "is not a telephone number")
    if manifest.help.email is not None and not _EMAIL.match(manifest.help.email):
        yield Fault(("help", "email"), "is not an e-mail address")


def _links(manifest: Manifest, ground: Ground) -> Iterator[Fault]:
    for position, link in enumerate(manifest.links):
        where = ("links", position)
        if sum(goal is not None for goal in (link.url, link.page, link.ceremony, link.ours)) + link.message != 1:
            yield Fault(where, "has either a url, a page, a ceremony or a page of ours, or is a message")
            continue
        if link.message and manifest.help.email is None:
            yield Fault((*where, "message"), "mails help.email, which is missing")
        if link.page == "message":
            yield Fault((*where, "page"), "is the address of the page that mails support")
        if link.ceremony is not None and link.ceremony not in manifest.enrollment:
            yield Fault((*where, "ceremony"), f"{link.ceremony!r} is not one of this portal's ceremonies")
        if link.page is not None and (not _PAGE.match(link.page) or link.page.startswith(("agreement-", "terms-"))):
            yield Fault((*where, "page"), "is lower-case words with dashes, and not an agreement or terms")
        if link.url is not None and not link.url.startswith("mailto:"):
            uri = manifest.base_url + link.url if link.url.startswith("/") else link.url
            if (reason := wrong_page(uri, ground=ground)) is not None:
                yield Fault((*where, "url"), reason)
        elif link.url is not None and not _EMAIL.match(link.url.removeprefix("mailto:")):
            yield Fault((*where, "url"), "is not an e-mail address")


def _texts(manifest: Manifest, texts: Mapping[str, str]) -> Iterator[Fault]:
    """Named texts exist in both languages (X6), and no file lies there unread."""
    for name, version in (("agreement", manifest.agreement), ("terms", manifest.sign_in.terms)):
        if version is not None and not _VERSION.match(version.version):
            path: Path = ("agreement", "version") if name == "agreement" else ("sign_in", "terms", "version")
            yield Fault(path, "is letters, digits, dots and dashes")
    if manifest.banner is not None and not _VERSION.match(manifest.banner.version):
        yield Fault(("banner", "version"), "is letters, digits, dots and dashes")
    expected = {LOGO}
    for path, stem in named_texts(manifest):
        for language in LANGUAGES:
            name = f"{stem}.{language}.md"
            expected.add(name)
            if not texts.get(name, "").strip():
                yield Fault(path, f"{name} is missing beside the manifest")
    for name, text in texts.items():
        if name not in expected and not _VERSIONED.match(name):
            yield Fault((), f"{name} beside the manifest is named by nothing in it")
        if text.lstrip().startswith("# "):
            yield Fault((), f"{name} begins with a title; the page already shows the one in the manifest")
        if len(text.encode()) > MAX_TEXT:
            yield Fault((), f"{name} is longer than {MAX_TEXT // 1024} KB")
