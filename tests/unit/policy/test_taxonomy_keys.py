"""Every category and purpose has a key of the fideslang taxonomy, or one of our own under such a key."""

from __future__ import annotations

import re

from quorum.policy import Policy

_KEY = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+")
_CATEGORIES = {
    *("system.operations", "user.account.username", "user.behavior", "user.behavior.browsing_history"),
    *("user.behavior.purchase_history", "user.contact.address", "user.contact.address.postal_code"),
    *("user.contact.email", "user.contact.phone_number", "user.content.private", "user.demographic.age_range"),
    *("user.demographic.date_of_birth", "user.demographic.gender", "user.demographic.profile", "user.device"),
    *("user.device.cookie_id", "user.device.ip_address", "user.financial", "user.financial.bank_account"),
    *("user.financial.credit_card", "user.job_title", "user.name", "user.payment", "user.privacy_preferences"),
    *("user.unique_id", "user.unique_id.pseudonymous", "user.workplace"),
}
_USES = {
    *("analytics.reporting.ad_performance", "essential.fraud_detection", "essential.legal_obligation"),
    *("essential.service.authentication", "essential.service.notifications", "essential.service.operations.support"),
    *("essential.service.payment_processing", "functional.service", "functional.service.improve"),
    *("functional.storage", "marketing.advertising.first_party.targeted"),
}


def test_every_category_lies_in_the_taxonomy(policy: Policy) -> None:
    for category in policy.columns.values():
        assert _KEY.fullmatch(category.fideslang), category.code
        assert {category.fideslang, category.fideslang.rpartition(".")[0]} & _CATEGORIES, category.code


def test_every_purpose_lies_in_the_taxonomy(policy: Policy) -> None:
    for purpose in policy.purposes.values():
        assert _KEY.fullmatch(purpose.fideslang), purpose.code
        assert {purpose.fideslang, purpose.fideslang.rpartition(".")[0]} & _USES, purpose.code


def test_no_two_purposes_or_categories_share_a_key(policy: Policy) -> None:
    for named in (policy.columns, policy.purposes):
        keys = [one.fideslang for one in named.values()]
        assert len(keys) == len(set(keys))
