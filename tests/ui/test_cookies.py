"""Cookies are sent to the studio's own pages only; a Space's frame gets the session, and nothing else."""

from __future__ import annotations

import pytest

from pipeline.studio import Studio
from tests.studios import change_settings
from tests.ui.served import Answer, served
from ui.cookies import with_same_site

SESSION = "session=abc; path=/; Max-Age=1209600; httponly; samesite=none; secure"


@pytest.mark.parametrize(
    ("cookie", "hosted", "expected"),
    [
        (SESSION, False, "session=abc; path=/; Max-Age=1209600; httponly; secure; SameSite=Lax"),
        (SESSION, True, "session=abc; path=/; Max-Age=1209600; httponly; secure; SameSite=None"),
        ("session=abc; path=/", True, "session=abc; path=/; Secure; SameSite=None"),
        ("other=1; SameSite=None; Secure", True, "other=1; Secure; SameSite=Lax"),
        ("other=1", False, "other=1; SameSite=Lax"),
        ("text=samesite=none; Path=/", False, "text=samesite=none; Path=/; SameSite=Lax"),
    ],
)
def test_only_the_session_of_a_space_is_sent_in_a_foreign_frame(
    cookie: str, hosted: bool, expected: str
) -> None:
    assert with_same_site(cookie, hosted=hosted) == expected


@pytest.mark.filterwarnings("ignore:Gradio does not support OAuth:UserWarning")
@pytest.mark.parametrize(("hosted", "same_site"), [(False, "SameSite=Lax"), (True, "SameSite=None")])
def test_the_session_cookie_is_lax_at_home_and_none_on_a_space(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, hosted: bool, same_site: str
) -> None:
    account = {"userinfo": {"preferred_username": "ann"}, "access_token": "t"}
    monkeypatch.setattr("gradio.oauth._get_mocked_oauth_info", lambda: account)  # needs no provider
    change_settings(studio, hosted=hosted, sign_in=True, owner="ann")
    with served(studio) as site:
        answer: Answer = site.request("GET", "/login/callback")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("session=")
    assert [part.strip() for part in cookie.split(";") if "samesite" in part.lower()] == [same_site]
    assert "secure" in cookie.lower()
    assert "httponly" in cookie.lower()
