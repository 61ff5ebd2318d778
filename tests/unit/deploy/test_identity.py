"""The realm of Keycloak makes the tokens that the services look for."""

import json
import re
from typing import Any

from servicekit.identity import ALGORITHMS, KNOWN_ROLES
from servicekit.ids import new_id
from servicekit.settings import ServiceSettings
from tests.support.compose_file import ROOT, mounts, services

REALM: dict[str, Any] = json.loads((ROOT / "deploy/keycloak/peyvand-realm.json").read_text())
(CLIENT,) = REALM["clients"]
MAPPERS: dict[str, Any] = {mapper["name"]: mapper for mapper in CLIENT["protocolMappers"]}
DEFAULTS = ServiceSettings()


def environment() -> dict[str, str]:
    lines = (ROOT / "deploy/keycloak/compose.env").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def test_its_roles_are_those_of_the_contract() -> None:
    assert {role["name"] for role in REALM["roles"]["realm"]} == KNOWN_ROLES - {"public"}
    assert all(" · " in role["description"] for role in REALM["roles"]["realm"])


def test_roles_audience_and_resources_are_where_the_services_look() -> None:
    roles = MAPPERS["roles"]["config"]
    assert (roles["claim.name"], roles["multivalued"]) == (DEFAULTS.roles_claim, "true")
    assert MAPPERS["audience"]["config"]["included.custom.audience"] == DEFAULTS.audience
    for claim in ("center_ids", "institution_ids"):
        assert MAPPERS[claim]["config"]["claim.name"] == claim
        assert MAPPERS[claim]["config"]["multivalued"] == "true"
    assert all(it["config"]["access.token.claim"] == "true" for it in MAPPERS.values())
    assert REALM["defaultSignatureAlgorithm"] in ALGORITHMS


def test_nobody_gives_himself_a_center_or_an_institution() -> None:
    (profile,) = REALM["components"]["org.keycloak.userprofile.UserProfileProvider"]
    (text,) = profile["config"]["kc.user.profile.config"]
    attributes = {it["name"]: it for it in json.loads(text)["attributes"]}
    for name, prefix in (("center_ids", "ctr"), ("institution_ids", "ins")):
        assert attributes[name]["permissions"]["edit"] == ["admin"]
        pattern = attributes[name]["validations"]["pattern"]["pattern"]
        assert re.fullmatch(pattern, new_id(prefix))
        assert not re.fullmatch(pattern, "nod_0")
    assert not REALM["registrationAllowed"]


def test_the_client_is_public_with_pkce_and_takes_no_passwords() -> None:
    assert CLIENT["publicClient"]
    assert CLIENT["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not CLIENT["directAccessGrantsEnabled"]
    assert not CLIENT["implicitFlowEnabled"]


def test_there_are_no_people_and_no_secrets_in_it() -> None:
    assert "users" not in REALM
    assert not re.search(r'"(secret|privateKey|certificate|credentials)"', json.dumps(REALM))


def test_the_services_are_told_of_the_realm_and_fetch_its_keys_inside() -> None:
    given = environment()
    gateway = services(**given)["gateway"]["environment"]
    assert gateway["PEYVAND_ISSUER"] == f"{given['KEYCLOAK_URL']}/realms/{REALM['realm']}"
    keycloak = services(**given)["keycloak"]
    assert keycloak["environment"]["KC_HOSTNAME"] == given["KEYCLOAK_URL"]
    assert gateway["PEYVAND_JWKS"].startswith("http://keycloak:8080/realms/peyvand/")
    assert "hub" in keycloak["networks"]
    source, _ = mounts(keycloak)["/opt/keycloak/data/import/peyvand-realm.json"]
    assert source == "./deploy/keycloak/peyvand-realm.json"
