"""Signature wrapping, in its eight classical forms and by changed bytes: what is read is what was signed (FE-31)."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from idp.foundation import xml_signature
from idp.vocabulary.refused import Refused
from tests.federation.saml import bench
from tests.federation.saml.bench import A, P, assertion_of, evil, reason, signed, without_signature
from tests.foundation import xml_bench

DS = f"{{{xml_bench.DS}}}"
NAMES = {f"{{{P}}}Response", f"{{{A}}}Assertion"}
SIGNED = signed()


def _xsw1(root: Any) -> Any:
    """The signed response inside its own signature, which a forged response carries."""
    xml_bench.sign(root)
    forged, signature = evil(root), root.find(f"{DS}Signature")
    original = without_signature(root)
    forged.insert(1, signature)
    signature.append(original)
    return forged


def _xsw2(root: Any) -> Any:
    """The signed response beside its signature in a forged one."""
    xml_bench.sign(root)
    forged, signature = evil(root), root.find(f"{DS}Signature")
    forged.insert(1, without_signature(root))
    forged.insert(2, signature)
    return forged


def _xsw3(root: Any) -> Any:
    """A forged assertion before the signed one."""
    root.insert(list(root).index(assertion_of(root)), evil(assertion_of(root)))
    return root


def _xsw4(root: Any) -> Any:
    """The signed assertion inside a forged one."""
    original = assertion_of(root)
    forged = evil(original)
    root.replace(original, forged)
    forged.append(original)
    return root


def _xsw5(root: Any) -> Any:
    """The signature in a forged assertion, the signed one at the end."""
    original = assertion_of(root)
    forged, signature = evil(original), original.find(f"{DS}Signature")
    bare = without_signature(original)
    root.replace(original, forged)
    forged.insert(1, signature)
    root.append(bare)
    return root


def _xsw6(root: Any) -> Any:
    """The signature in a forged assertion, the signed one in the signature."""
    original = assertion_of(root)
    forged, signature = evil(original), original.find(f"{DS}Signature")
    bare = without_signature(original)
    root.replace(original, forged)
    forged.insert(1, signature)
    signature.append(bare)
    return root


def _xsw7(root: Any) -> Any:
    """A forged assertion in `Extensions`, which lax schemas let through."""
    extensions = etree.Element(f"{{{P}}}Extensions")
    extensions.append(evil(assertion_of(root)))
    root.insert(1, extensions)
    return root


def _xsw8(root: Any) -> Any:
    """The signed assertion in an `Object` of the signature, which a forged one carries."""
    original = assertion_of(root)
    forged, signature = evil(original), original.find(f"{DS}Signature")
    bare = without_signature(original)
    root.replace(original, forged)
    forged.insert(1, signature)
    etree.SubElement(signature, f"{DS}Object").append(bare)
    return root


WRAPPINGS = [_xsw1, _xsw2, _xsw3, _xsw4, _xsw5, _xsw6, _xsw7, _xsw8]


@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: wrap.__name__.strip("_"))
@pytest.mark.parametrize("same_id", [False, True])
def test_FE_31_signature_wrapping_is_refused_and_the_verifier_returns_no_forged_byte(
    wrap: Callable[[Any], Any], same_id: bool
) -> None:
    root = wrap(signed())
    if same_id:
        for element in root.iter():
            if element.get("ID") == "_evil":
                element.set("ID", "_a1")
    assert "administrator" in etree.tostring(root).decode()
    assert reason(root) is not None
    found = xml_signature.verified(etree.tostring(root), names=NAMES, certificates=bench.PINS, now=bench.NOW)
    if not isinstance(found, Refused):
        assert all("administrator" not in each.text for node in found.values() for each in node.everything())


@given(st.data())
def test_FE_31_no_changed_byte_of_a_signed_answer_changes_what_is_read(data: st.DataObject) -> None:
    document = etree.tostring(SIGNED)
    changed = bytearray(document)
    changed[data.draw(st.integers(0, len(document) - 1))] = data.draw(st.integers(32, 126))
    answer = bench.read(b64encode(bytes(changed)).decode())
    assert isinstance(answer, Refused) or answer == bench.read(SIGNED)
