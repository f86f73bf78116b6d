"""The names of networks are read once, and kept as they were given."""

from __future__ import annotations

import re

import pytest

from pipeline.domain.studies import (
    NETWORK_TITLES,
    STUDY_NETWORKS,
    Network,
    TimmNetwork,
    named_network,
    network_folder,
)
from pipeline.errors import UnknownName


def test_every_network_has_a_title() -> None:
    assert set(NETWORK_TITLES) == set(Network)


def test_a_study_of_its_own_choice_ends_with_a_network_from_nothing() -> None:
    assert STUDY_NETWORKS == (Network.PROBE, Network.SMALL)


@pytest.mark.parametrize("text", [*Network, "timm/resnet18", "timm/resnet18.a1_in1k:pretrained"])
def test_a_name_is_read_and_written_as_it_was(text: str) -> None:
    assert str(named_network(text)) == text


def test_a_name_of_timm_says_whether_its_weights_are_pretrained() -> None:
    assert named_network("timm/test_vit") == TimmNetwork("test_vit", pretrained=False)
    assert named_network("timm/test_vit:pretrained") == TimmNetwork("test_vit", pretrained=True)


def test_folders_of_networks_differ_and_have_no_separators() -> None:
    names = [*Network, "timm/small", "timm/small:pretrained", "timm/small.a:pretrained"]
    folders = [network_folder(named_network(name)) for name in names]
    assert folders[0] == "probe"  # as earlier versions named it
    assert folders[-1] == "timm-small.a-pretrained"
    assert len(set(folders)) == len(names)
    assert all(re.fullmatch(r"[\w.-]+", folder) for folder in folders)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("resnet", "did you mean 'resnet18'?"),
        ("Probe", "did you mean 'probe'?"),
        ("timm/", "did you mean 'timm/NAME'?"),
        ("timm/../x", "did you mean 'timm/NAME'?"),
        ("timm/hf-hub:a/b", "did you mean 'timm/NAME'?"),
        ("timm/x:weights", "did you mean 'timm/NAME'?"),
    ],
)
def test_any_other_name_is_refused(text: str, remedy: str) -> None:
    with pytest.raises(UnknownName) as refused:
        named_network(text)
    assert str(refused.value) == f"there is no network '{text}'; {remedy}"
